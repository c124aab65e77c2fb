"""Text in pictures."""

from PIL import ImageFont

PAPER = (255, 255, 255)
INK = (30, 30, 30)


def write_line(draw, position, text, size, width=None, anchor="la"):
    """Writes a line of text at Pillow's `anchor`, smaller if it would be wider than `width`."""
    font = ImageFont.load_default(size)
    if width is not None and font.getlength(text) > width:
        font = ImageFont.load_default(max(6, size * width / font.getlength(text)))
    draw.text(position, text, fill=INK, font=font, anchor=anchor)
