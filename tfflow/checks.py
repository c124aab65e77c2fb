"""Checks of arguments that many functions share."""

import operator
from typing import Any

# px; a longer side is too long for cv2.remap.
OPENCVS_LONGEST = 2**15 - 2


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """The value as an int.

    Raises:
        ValueError: If it is not a whole number of at least ``least``; True and False are none.
    """
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}.")
    return number
