"""Programs that learners write: what they hold, whether they are right, and exercises to write one."""
