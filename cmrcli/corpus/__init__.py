"""What is in folders: walking, ignore rules, kinds, tiles, passages, and readers in worker processes.

`walk` finds the files, `readers` turn one file into items, `kinds` says what an item looks like, `tiles` and
`passages` cut it into fragments, `workers` keep all of that out of the parent process.
"""
