"""The errors that a person can mend: the command line prints their one line and exits with 2."""


class UserError(ValueError):
    """Bad input: the message says in one line what was wrong and what was expected."""
