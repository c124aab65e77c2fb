"""Pictures of a benchmark's results, as SVG: text that any browser shows."""

import math

from tfflow.atomic_file import atomic_file

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 20, 60
OURS, OTHERS = "#c2410c", "#475569"


def write_scatter(path, points, x_label, y_label):
    """Named points over a logarithmic x axis; both axes say that less is better.

    Args:
        path: The file.
        points: Name -> (x, y); OpenCV's methods are drawn in grey.
        x_label, y_label: The axes' labels.
    """
    xs, ys = zip(*points.values())
    low, high = math.log10(min(xs) / 1.5), math.log10(max(xs) * 1.5)
    top = 1.1 * max(ys)

    def place(x, y):
        across = (math.log10(x) - low) / (high - low)
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13" fill="#1e293b">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    for value in (1, 2, 5, 10, 20, 50, 100, 200):
        if low <= math.log10(value) <= high:
            x, _ = place(value, 0)
            parts += [_line(x, TOP, x, floor), _text(x, floor + 18, value, "middle")]
    step = 10 ** math.floor(math.log10(top)) / (
        1 if top / 10 ** math.floor(math.log10(top)) > 3 else 2
    )
    for i in range(int(top / step) + 1):
        _, y = place(min(xs), i * step)
        parts += [_line(LEFT, y, right, y), _text(LEFT - 8, y + 4, f"{i * step:g}", "end")]
    parts.append(_text((LEFT + right) / 2, HEIGHT - 14, f"{x_label} (left is faster)", "middle"))
    middle = (TOP + floor) / 2
    parts.append(
        f'<text transform="translate(20 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{y_label} (down is better)</text>"
    )
    labels = []
    for name, (x, y) in sorted(points.items(), key=lambda point: -point[1][1]):
        across, down = place(x, y)
        label = down + 4
        # Below a label that it would overlap: 14 px high, 7 px per letter.
        for other, reach, height in labels:
            if other < across + 10 + 7 * len(name) and across + 10 < reach:
                label = max(label, height + 14) if height - 14 < label else label
        labels.append((across + 10, across + 10 + 7 * len(name), label))
        colour = OTHERS if name.startswith(("DIS", "Farneback")) else OURS
        parts.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="6" fill="{colour}"/>')
        parts.append(_text(across + 10, label, name, "start", colour))
    with atomic_file(path) as temporary:
        temporary.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _line(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e2e8f0"/>'


def _text(x, y, text, anchor, colour="#1e293b"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
