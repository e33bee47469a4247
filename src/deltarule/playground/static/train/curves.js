// Curves on a canvas: a line for each part of the data during a run, a mark for each whole epoch.

import { color, element, rgb, shown } from "../shared/widgets.js";

const MARGIN = { left: 46, right: 12, top: 10, bottom: 26 };
const HEIGHT = 190;
const MOST_MARKS = 60; // of whole epochs: more would run together

/** Round numbers from low to high, about `count` of them. */
export function ticks(low, high, count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
}

/** 12000 as "12k", 1000000 as "1M": short enough for an axis. */
export function brief(value) {
    const size = Math.abs(value);
    return size >= 1e6 ? `${shown(value / 1e6)}M` : size >= 10_000 ? `${shown(value / 1000)}k` : shown(value);
}

/** Where the axis of steps ends: at the last step of the run, halved as long as that leaves room for the curves. */
export function endOfAxis(series, last) {
    const reached = Math.max(...series.flatMap(({ line, marks }) => [line.at(-1)?.[0] ?? 0, marks.at(-1)?.[0] ?? 0]), 1);
    return last / 2 ** Math.max(0, Math.floor(Math.log2(last / reached)));
}

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} tone the custom property of its color
 * @property {number[]} dash of its line: the second thing that tells it from others
 * @property {[number, number][]} line of points [step, value]
 * @property {[number, number][]} marks one a whole epoch
 */

export class Chart {
    /** @param {string} title  @param {(value: number) => string} say a value for people  @param {number | null} most the highest value there can be */
    constructor(title, say, most = null) {
        Object.assign(this, { title, say, most, axis: most === null ? brief : (value) => `${Math.round(100 * value)} %` });
        this.canvas = element("canvas", { role: "img", class: "chart", "aria-label": `${title}: nothing yet` });
        this.legend = element("span", { class: "legend small", "aria-hidden": "true" }); // the picture says so itself
        this.node = element("figure", { class: "curve" }, element("figcaption", {}, title, this.legend), this.canvas);
    }

    /** Paints the series of a run of `last` steps. */
    paint(series, last) {
        const ratio = window.devicePixelRatio || 1;
        const width = Math.max(220, this.canvas.clientWidth);
        Object.assign(this.canvas, { width: Math.round(width * ratio), height: HEIGHT * ratio }); // which clears it
        const context = this.canvas.getContext("2d");
        context.scale(ratio, ratio);
        const frame = this.frame(series, endOfAxis(series, last), width);
        this.paintAxes(context, frame);
        series.forEach((each) => paintSeries(context, each, frame));
        this.name(series);
        this.canvas.setAttribute("aria-label", this.sentence(series));
    }

    /** The scales: values in [low, high] and steps in [0, last], and where they are on the canvas. */
    frame(series, last, width) {
        const values = series.flatMap(({ line, marks }) => [...line, ...marks].map(([, value]) => value)).filter(Number.isFinite);
        const tail = values.filter((value) => value >= 0).sort((one, other) => one - other);
        const top = this.most ?? 1.05 * (tail[Math.floor(0.98 * (tail.length - 1))] ?? 1);
        const low = Math.min(0, ...values);
        const high = top > low ? top : low + 1;
        const right = width - MARGIN.right;
        const bottom = HEIGHT - MARGIN.bottom;
        return {
            low, high, last, right, bottom,
            highest: Math.max(high, ...tail.slice(-1)),
            x: (step) => MARGIN.left + (right - MARGIN.left) * (last > 0 ? step / last : 0),
            y: (value) => bottom - (bottom - MARGIN.top) * (Math.max(low, Math.min(high, value)) - low) / (high - low),
        };
    }

    paintAxes(context, { low, high, highest, last, right, bottom, x, y }) {
        const write = (text, left, top, textAlign, textBaseline) =>
            Object.assign(context, { textAlign, textBaseline }).fillText(text, left, top);
        const [fillStyle, strokeStyle] = [tone("--muted"), tone("--line")];
        Object.assign(context, { font: "12px system-ui, sans-serif", lineWidth: 1, fillStyle, strokeStyle });
        for (const value of ticks(low, high, 4)) {
            line(context, [[MARGIN.left, y(value)], [right, y(value)]]);
            write(this.axis(value), MARGIN.left - 6, y(value), "right", "middle");
        }
        for (const step of last > 0 ? ticks(0, last, Math.max(2, (right - MARGIN.left) / 110)).filter(Number.isInteger) : [0]) {
            write(step === 0 ? "step 0" : brief(step), x(step), bottom + 8, "center", "top");
        }
        if (highest > high) { // a few points, which would flatten the others
            write(`↑ up to ${this.axis(highest)}`, right, 0, "right", "top");
        }
    }

    /** What each line is, and where it has come. */
    name(series) {
        this.legend.replaceChildren(...series.filter(({ line: points }) => Number.isFinite(points.at(-1)?.[1])).map(({ name, tone: property, dash, line: points }) => {
            const entry = element("span", {}, `${dash.length > 0 ? "┄" : "—"} ${name} ${this.say(points.at(-1)[1])}`);
            entry.style.color = tone(property);
            return entry;
        }));
    }

    sentence(series) {
        const told = series.filter(({ line: points }) => points.length > 0).map(({ name, line: points }) => {
            const [first, now] = [points[0][1], points.at(-1)[1]];
            return `${name} from ${this.say(first)} to ${this.say(now)}`;
        });
        return `${this.title}: ${told.join("; ") || "nothing yet"}`;
    }
}

const tone = (property) => rgb(color(property));

function line(context, points) {
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
}

function paintSeries(context, { line: points, marks, tone: property, dash }, { x, y }) {
    context.strokeStyle = context.fillStyle = tone(property);
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.setLineDash(dash);
    line(context, points.filter(([, value]) => Number.isFinite(value)).map(([step, value]) => [x(step), y(value)]));
    context.setLineDash([]);
    for (const [step, value] of marks.length > MOST_MARKS ? [] : marks.filter((mark) => Number.isFinite(mark[1]))) {
        context.beginPath();
        context.arc(x(step), y(value), 3, 0, 2 * Math.PI);
        context[dash.length > 0 ? "stroke" : "fill"]();
    }
}
