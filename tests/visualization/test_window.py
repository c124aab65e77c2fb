"""A window, where there is a screen; where there is none, what is said."""

import sys

import numpy as np
import pytest

from tfflow.visualization import Window

PICTURE = np.full((40, 60, 3), (200, 30, 30), np.uint8)


@pytest.fixture
def window():
    pytest.importorskip("tkinter")
    try:
        window = Window("flow")
    except OSError as error:
        pytest.skip(str(error))
    yield window
    window.close()


def test_no_screen_is_said(monkeypatch):
    pytest.importorskip("tkinter")
    if sys.platform != "linux":
        pytest.skip("only Linux finds its screen by a variable")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(OSError, match=r"no window can be opened here: no display .* Write a file"):
        Window("flow")


def test_no_tk_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(ImportError, match="apt install python3-tk"):
        Window("flow")


def test_pictures_are_shown_no_larger_than_the_screen(window):
    assert window.show(PICTURE) and not window.closed
    assert (window._photo.width(), window._photo.height()) == (60, 40)
    assert (window._root.winfo_width(), window._root.winfo_height()) == (60, 40)
    assert window._photo._PhotoImage__photo.get(5, 5) == (200, 30, 30)
    assert window.show(np.zeros((300, 9000, 3), np.uint8))
    assert window._photo.width() <= window._root.winfo_screenwidth()


@pytest.mark.parametrize("way", ["<Escape>", "q", "button"])
def test_keys_and_the_button_close_it(window, way):
    assert window.show(PICTURE)
    window._root.focus_force()
    window._root.update()
    if way == "button":
        window._root.tk.call(*window._root.protocol("WM_DELETE_WINDOW").split())
    else:
        window._root.event_generate(way)
    assert not window.show(PICTURE) and window.closed
