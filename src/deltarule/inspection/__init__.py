"""Inspection: how good a network's answers are, whether its gradient is right, why it does not learn; and pictures."""
