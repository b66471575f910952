"""The answer to an export request: what was accepted of it, or why it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(slots=True)
class Outcome:
    """An accepted request, which is on the disk."""

    accepted: int = 0
    """Spans or log records."""
    rejected: int = 0
    """Spans or log records that cannot be stored and must not be sent again."""
    message: str = ""
    """Reason for which they were rejected."""

    def reject(self, number: int, message: str) -> None:
        """Count items that cannot be stored."""
        if number:
            self.rejected += number
            self.message = f"{self.message}; {message}" if self.message else message


class Reason(Enum):
    """Reason for which a request is refused as a whole."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    SLOW = "slow"
    UNSUPPORTED = "unsupported"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"


class Refused(Exception):
    """A request is refused, and nothing of it is stored.

    Args:
        reason: the kind of status_error.
        message: what was wrong, and what to do.
        retry_s: seconds after which the same request may be accepted; None where it never will.
    """

    def __init__(self, reason: Reason, message: str, retry_s: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retry_s = retry_s


__all__ = ["Outcome", "Reason", "Refused"]
