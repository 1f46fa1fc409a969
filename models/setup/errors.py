"""The one error that models/setup raises on purpose."""


class SetupError(Exception):
    """What was found, what was expected and what to do, in one sentence for the person at the keyboard."""
