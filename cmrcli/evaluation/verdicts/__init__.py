"""What the figures mean for a decision: requirements, recommendation, balance, comparison, history."""
