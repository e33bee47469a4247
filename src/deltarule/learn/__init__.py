"""Programs that learners write: their content, whether they are right, and exercises to write one."""
