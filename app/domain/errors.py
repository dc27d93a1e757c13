"""Every error Octopus raises on purpose. The class says what may be done next; the text says it to a person.

A text tells what happened, to what, what was done about it, and what the reader can do.
It never holds a secret or a customer's words.
"""


class OctopusError(Exception):
    """Base of all errors raised on purpose."""


class BadSignature(OctopusError):
    """A webhook request did not prove where it comes from: answer 401 and store nothing."""


class Malformed(OctopusError):
    """A verified request cannot be read as the channel's format: keep the bytes, mark the event failed."""


class InvalidInput(OctopusError):
    """What a person typed or a file says cannot be used. `field` names the place, as a dotted path."""

    def __init__(self, text: str, field: str = ""):
        super().__init__(text)
        self.field = field


class NotFound(InvalidInput):
    """What was named does not exist, or not any more."""


class Forbidden(OctopusError):
    """The signed-in member's role does not allow this."""


class RemoteError(OctopusError):
    """A vendor's service did not do what it was asked."""


class TransientError(RemoteError):
    """Nothing happened over there, and trying again later may work. `retry_after_s` is the vendor's own wish."""

    def __init__(self, text: str, retry_after_s: float | None = None):
        super().__init__(text)
        self.retry_after_s = retry_after_s


class Ambiguous(TransientError):
    """The call may have taken effect (time-out, cut answer, 5xx): look for the task's key before trying again."""


class PermanentError(RemoteError):
    """Trying the same again cannot work."""


class Rejected(PermanentError):
    """The vendor refused the content. `field` is the vendor's name of the field at fault, where it says so."""

    def __init__(self, text: str, field: str = ""):
        super().__init__(text)
        self.field = field


class TargetGone(PermanentError):
    """The project, board, list or record is deleted, archived or out of reach."""


class Unauthorized(PermanentError):
    """The credentials are refused: the destination waits, parked, until it is connected again."""


class Refused(PermanentError):
    """The credentials are good but lack a permission."""
