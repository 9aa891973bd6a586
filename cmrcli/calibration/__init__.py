"""What a similarity is worth: z-scores and tail probabilities, from pairs that do not belong together.

Similarities of a sentence with a picture and with another text live on scales of their own, and each encoder and each
index has its own scales. A calibration (null.py) is made from the vectors of one index and the texts of a query bank;
evidence.py turns the similarities of one query into evidence that holds across modalities and queries.
"""
