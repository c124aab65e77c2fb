"""A window that shows a sequence of pictures, with Python's own Tk."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_SHARE_OF_SCREEN = 0.9  # which leaves room for the window's frame


class Window:
    """A window that shows one picture after the other, until Escape, q or its button closes it.

    Pictures larger than the screen are shown smaller. It belongs to the thread that opened it.

    Args:
        title: Its title.

    Attributes:
        closed: Whether it was closed.

    Raises:
        ImportError: If this Python has no Tk.
        OSError: If there is no screen.

    Example:
        >>> window = Window("flow")
        >>> predict_video(model, 0, show=window.show)
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter

            from PIL import ImageTk
        except ImportError as error:
            raise ImportError(
                "a window needs Python's Tk: apt install python3-tk on Debian and Ubuntu, brew "
                "install python-tk on macOS"
            ) from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise OSError(
                f"no window can be opened here: {error}. Write a file instead, or run it where "
                "there is a screen"
            ) from error
        self.closed = False
        self._photo_of = ImageTk.PhotoImage
        self._root.title(title)
        self._root.resizable(False, False)
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self._root.protocol("WM_DELETE_WINDOW", self.close)
        for key in ("<Escape>", "q"):
            self._root.bind(key, lambda event: self.close())

    def show(self, picture: npt.NDArray[Any]) -> bool:
        """Shows a picture (H, W, 3) uint8.

        Returns:
            False if the window was closed; then nothing is shown.
        """
        if not self.closed:
            image = Image.fromarray(np.asarray(picture))
            screen = self._root.winfo_screenwidth(), self._root.winfo_screenheight()
            image.thumbnail((_SHARE_OF_SCREEN * screen[0], _SHARE_OF_SCREEN * screen[1]))
            # Tk keeps no reference of its own.
            self._photo = self._photo_of(image, master=self._root)
            self._label.configure(image=self._photo)
            self._root.update()  # keys and clicks, too
        return not self.closed

    def close(self) -> None:
        """Closes the window."""
        if not self.closed:
            self.closed = True
            self._root.destroy()
