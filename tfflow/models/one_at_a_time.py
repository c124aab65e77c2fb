"""Objects that process one video each, step by step."""

import functools
import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def one_at_a_time(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Makes a method refuse to run while another thread is in such a method of the same object.

    The object calls :func:`guard` in its ``__init__``.
    """

    @functools.wraps(method)
    def guarded(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        if not self._in_use.acquire(blocking=False):
            raise RuntimeError(
                f"A {type(self).__name__} is one video, whose frames follow one another; two "
                f"threads called it at the same time. Give each thread a {type(self).__name__} of "
                "its own, or let one thread after the other call it."
            )
        try:
            return method(self, *args, **kwargs)
        finally:
            self._in_use.release()

    return guarded


def guard(instance: Any) -> None:
    """Prepares an object for :func:`one_at_a_time`."""
    instance._in_use = threading.RLock()
