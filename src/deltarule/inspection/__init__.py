"""Inspection: how good the answers are, where they are wrong, and pictures of both."""
