"""Networks that go to other software, and come from it."""
