"""A figure as one interactive page: a file that holds all that it needs, asks no network, the same every time."""

from __future__ import annotations

import json
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from roofline.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.report.plots.web.chart import Chart

_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="roofline">
<title>{heading}</title>
<style>
:root {{ color-scheme: {theme}; }}
body {{ background: {ground}; color: {ink}; margin: 0; font: 15px/1.45 "DejaVu Sans", Verdana, Geneva, sans-serif; }}
main {{ max-width: 1080px; margin: 0 auto; padding: 1.2rem 1rem 2rem; }}
h1 {{ font-size: clamp(1.05rem, 2.4vw, 1.4rem); line-height: 1.3; margin: 0 0 .3rem; }}
p {{ color: {grey}; font-size: clamp(.78rem, 1.5vw, .9rem); margin: 0 0 .7rem; }}
#frame {{ overflow-x: auto; padding-bottom: 10px; }}
#chart {{ min-width: 560px; }}
#chart .modebar-container {{ top: auto !important; bottom: 16px; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{conditions}<div id="frame"><div id="chart" role="img" aria-label="{label}"></div></div>
{note}<p>{hint}</p>
<noscript><p>The chart is drawn by a script, which this browser does not run.</p></noscript>
</main>
<script>{library}</script>
<script>
const chart = {chart};
{script}
</script>
</body>
</html>
"""

_SCRIPT: Final = """\
const box = document.getElementById("chart");
const sized = new Set(["size", "width", "ticklen", "tickwidth", "linewidth", "gridwidth"]);
const scaled = (value, by, key) =>
  Array.isArray(value) ? value.map(one => scaled(one, by, key))
  : value && typeof value === "object"
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, scaled(one, by, name)]))
  : typeof value === "number" && sized.has(key) ? value * by : value;
const zoomed = {};
function draw() {
  const by = box.clientWidth / chart.width;
  const layout = scaled(chart.layout, by);
  layout.width = box.clientWidth;
  layout.height = chart.height * by;
  layout.font = {family: '"DejaVu Sans", Verdana, Geneva, sans-serif'};
  Object.assign(layout.hoverlabel.font, {size: 13, family: layout.font.family});
  for (const [name, limits] of Object.entries(zoomed)) {
    const texts = chart.layout[name].ticktext;
    const unit = ["s", "B"].find(each => texts.every(text => text === "0" || text.endsWith(each)));
    Object.assign(layout[name], {range: limits, tickmode: "auto", nticks: 8, tickformat: "~s", ticksuffix: unit || ""});
  }
  if (Object.keys(zoomed).length) layout.shapes = layout.shapes.filter(shape => shape.name !== "stalk");
  return Plotly.react(box, scaled(chart.data, by), layout, {displaylogo: false, doubleClick: false,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d"]]});
}
draw().then(() => {
  box.on("plotly_relayout", change => {
    let any = false;
    for (const key of Object.keys(change)) {
      const [name, part] = key.split(".");
      if (part && part.startsWith("range")) { zoomed[name] = box.layout[name].range.slice(); any = true; }
    }
    if (any) draw();
  });
  box.on("plotly_doubleclick", () => { for (const name of Object.keys(zoomed)) delete zoomed[name]; draw(); });
  let known = box.clientWidth;
  new ResizeObserver(() => { if (box.clientWidth !== known) { known = box.clientWidth; draw(); } }).observe(box);
});
"""


def check_library() -> None:
    """Raises UsageError where Plotly is not there."""
    if find_spec("plotly") is None:
        raise UsageError("an interactive page needs Plotly, which is not there: pip install 'roofline[web]'")


def html_page(figure: Figure) -> str:
    """The page of a figure. Raises UsageError where Plotly is not there."""
    check_library()
    from plotly.offline import get_plotlyjs

    from roofline.report.plots.web.chart import chart_of

    chart = chart_of(figure)
    words = {name: escape(" ".join(text.split())) for name, text in chart.words.items()}
    title = words.get("title") or "roofline"
    colours = chart.palette
    return _PAGE.format(
        heading=title,
        title=title,
        label=title,
        conditions=f"<p>{words['conditions']}</p>\n" if words.get("conditions") else "",
        note=f"<p>{words['note']}</p>\n" if words.get("note") else "",
        hint=_hint(chart),
        theme=colours.name,
        ground=colours.ground,
        ink=colours.ink,
        grey=colours.grey,
        library=get_plotlyjs().replace("</script", "<\\/script"),
        chart=_literal(chart),
        script=_SCRIPT,
    )


def _hint(chart: Chart) -> str:
    """What one can do with the page."""
    told = any(trace["hoverinfo"] != "skip" for trace in chart.data)
    return "Rest the pointer on a mark to see its numbers. " * told + "Drag to zoom in, double-click to come back."


def _literal(chart: Chart) -> str:
    """The chart as a script may hold it: no text in it ends the script."""
    found = {"data": chart.data, "layout": chart.layout, "width": chart.width, "height": chart.height}
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
