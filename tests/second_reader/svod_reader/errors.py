"""The one exception of this reader."""


class Refused(Exception):
    """A file that breaks a rule of FORMAT.md: the reason of its closed list, and what was found.

    The detail names rules, offsets, numbers and names of elements, never a value of a record: it may be printed.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def require(condition: object, reason: str, detail: str) -> None:
    """Refuses unless `condition` holds."""
    if not condition:
        raise Refused(reason, detail)
