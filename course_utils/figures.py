"""Figures of one look and size, always with alt text; a figure repeats numbers that are already printed."""

import base64
import io

SIZES = {"wide": (7.5, 3.2), "square": (4.4, 4.2), "tall": (7.5, 4.6)}
# Okabe and Ito's palette: readable with colour-blind eyes.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "axes.prop_cycle": None,
    "legend.frameon": False,
}


def new_figure(size="wide", columns=1, title=""):
    """A matplotlib figure and its axes in the course's look. `size` is wide, square or tall; the title states the finding."""
    import matplotlib
    from matplotlib.figure import Figure

    style = STYLE | {"axes.prop_cycle": matplotlib.cycler(color=COLOURS)}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=SIZES[size], layout="constrained", dpi=90)
        axes = figure.subplots(1, columns)
        (axes if columns == 1 else axes[0]).set_title(title)
    return figure, axes


def bars(axes, measures, floor=None):
    """Draw measures as bars with their intervals on axes; `floor` becomes a dashed line."""
    names = [measure.name for measure in measures]
    values = [measure.value for measure in measures]
    below = [max(0.0, m.value - m.low) for m in measures]
    above = [max(0.0, m.high - m.value) for m in measures]
    axes.bar(names, values, yerr=[below, above], capsize=4, color=[COLOURS[i % 6] for i in range(len(names))])
    if floor is not None:
        axes.axhline(floor, linestyle="--", linewidth=1, color="#555555")
        axes.annotate("floor", (0.99, floor), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)
    return axes


def curve(axes, xs, measures, label=""):
    """Draw measures over xs as a line with a band for the intervals."""
    line = axes.plot(xs, [m.value for m in measures], marker="o", label=label)[0]
    axes.fill_between(xs, [m.low for m in measures], [m.high for m in measures], alpha=0.18, color=line.get_color())
    return axes


def png_of(figure):
    """The figure as PNG bytes, the same bytes for the same figure; 64 colours are enough and keep notebooks small."""
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", metadata={"Software": None})
    picture = Image.open(full).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


class Picture:
    """A picture with its words. A notebook shows both: the image, and below it what the image shows.

    JupyterLab ignores the alt text in an image's metadata, so the words also stand below as text, for readers
    who cannot see the image. Converters that know the metadata (classic HTML) use it.
    """

    def __init__(self, png, alt):
        self.png, self.alt = png, alt

    def _repr_mimebundle_(self, include=None, exclude=None):
        encoded = base64.b64encode(self.png).decode()
        return {"image/png": encoded, "text/plain": f"Picture: {self.alt}"}, {"image/png": {"alt": self.alt}}

    def _ipython_display_(self):
        from IPython.display import display

        image, metadata = self._repr_mimebundle_()
        display(image, metadata=metadata, raw=True)
        display({"text/markdown": f"*Picture: {self.alt}*", "text/plain": f"Picture: {self.alt}"}, raw=True)


def show_figure(figure, alt):
    """Return the figure as a Picture; write it as the last line of a cell. `alt` says what the picture shows in words."""
    return Picture(png_of(figure), alt)
