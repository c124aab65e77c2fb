"""Objects that process one video each, step by step."""

import functools
import threading


def one_at_a_time(method):
    """Makes a method refuse to run while another thread is in such a method of the same object.

    The object calls :func:`guard` in its ``__init__``.
    """

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
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


def guard(instance):
    """Prepares an object for :func:`one_at_a_time`."""
    instance._in_use = threading.RLock()
