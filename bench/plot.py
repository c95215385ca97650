"""The plot: rates and CPU of all clients side by side, as SVG written by hand."""

from __future__ import annotations

from html import escape

from cells import Report, cell
from entrants_run import CLOCKED

COLORS = {"ours": "#1f6f8b", "official": "#c1666b", "rust": "#d4a24c", "native": "#8d6a9f",
          "floor": "#9aa0a6", "echo": "#c5c9cd"}
BAR = 11
LEFT = 330
WIDTH = 330
GAP = 90


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 10) -> str:
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}">'
            f"{escape(words)}</text>")


def bar(x: float, y: float, share: float, color: str, words: str) -> str:
    return (f'<rect x="{x:.0f}" y="{y:.0f}" width="{max(share * WIDTH, 1):.1f}" '
            f'height="{BAR - 2}" fill="{color}"/>'
            + text(x + share * WIDTH + 4, y + BAR - 3, words, size=9))


def panel(report: Report, row: str, y: float) -> tuple[list[str], float]:
    """The bars of one row; gives where the next begins."""
    cells = {name: cell(report, row, name) for name in report["versions"]
             if name != CLOCKED and cell(report, row, name)}
    if not cells:
        return [], y
    out = [text(LEFT - 8, y + BAR, report["titles"][row], "end", 11)]
    fastest = max(found.get("rate") for found in cells.values())
    dearest = max(found.get("cpu") for found in cells.values())
    for name, found in cells.items():
        color = COLORS.get(name, "#000")
        out.append(bar(LEFT, y, found.get("rate") / fastest, color,
                       f"{found.get('rate') / 1000:.1f} {name}"))
        if row not in report["rate_only"]:
            out.append(bar(LEFT + WIDTH + GAP, y, found.get("cpu") / dearest, color,
                           f"{found.get('cpu'):.2f}"))
        y += BAR
    return out, y + BAR


def svg(report: Report) -> str:
    body: list[str] = [text(LEFT, 20, "thousand a second", size=12),
                       text(LEFT + WIDTH + GAP, 20, "CPU, us each", size=12)]
    y = 34.0
    for row in report["results"]:
        found, y = panel(report, row, y)
        body += found
    width = LEFT + 2 * WIDTH + GAP + 60
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y:.0f}" '
            f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(body) + "\n</svg>\n")
