"""Pictures of a benchmark's results, as SVG: text that any browser shows."""

import math

from tfflow.atomic_file import atomic_file

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 20, 60
OURS, OTHERS = "#c2410c", "#475569"
COLOURS = ("#c2410c", "#1d4ed8", "#15803d", "#a21caf", "#b45309", "#0f766e")


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


def write_curves(path, curves, x_label, y_label):
    """Named curves over linear axes that begin at zero.

    Args:
        path: The file.
        curves: Name -> list of (x, y); the oracle is drawn in grey.
        x_label, y_label: The axes' labels.
    """
    points = [point for curve in curves.values() for point in curve]
    most_x, most_y = (max(values) for values in zip(*points))
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(x, y):
        return LEFT + x / most_x * (right - LEFT), floor - y / most_y * (floor - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="13" fill="#1e293b">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for i in range(6):
        x, y = place(most_x * i / 5, most_y * i / 5)
        parts += [_line(x, TOP, x, floor), _text(x, floor + 18, f"{most_x * i / 5:g}", "middle")]
        parts += [_line(LEFT, y, right, y), _text(LEFT - 8, y + 4, f"{most_y * i / 5:.1f}", "end")]
    parts.append(_text((LEFT + right) / 2, HEIGHT - 14, x_label, "middle"))
    parts.append(
        f'<text transform="translate(20 {(TOP + floor) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{y_label}</text>'
    )
    for i, (name, curve) in enumerate(curves.items()):
        colour = OTHERS if name == "oracle" else COLOURS[i % len(COLOURS)]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in curve))
        parts.append(
            f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        down = TOP + 14 + 20 * i
        parts.append(f'<circle cx="{right + 14}" cy="{down - 4}" r="5" fill="{colour}"/>')
        parts.append(_text(right + 24, down, name, "start", colour))
    with atomic_file(path) as temporary:
        temporary.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _line(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e2e8f0"/>'


def _text(x, y, text, anchor, colour="#1e293b"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
