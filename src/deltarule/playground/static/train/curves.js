// Curves on a canvas: a line for each part of the data during a run, a mark for each whole epoch.

import { color, element, rgb, shown } from "../shared/widgets.js";

const MARGIN = { left: 46, right: 112, top: 10, bottom: 26 };
const HEIGHT = 190;
const MANY = 60; // whole epochs: more marks than that would run together

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

/** Where labels of the given heights go so that none covers another: moved down, as little as can be. */
export function apart(places, gap) {
    const order = places.map((_, index) => index).sort((one, other) => places[one] - places[other]);
    const found = [...places];
    order.forEach((index, rank) => {
        if (rank > 0) {
            found[index] = Math.max(found[index], found[order[rank - 1]] + gap);
        }
    });
    return found;
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
        this.node = element("figure", { class: "curve" }, element("figcaption", {}, title), this.canvas);
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
        this.paintNames(context, series, frame);
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
        context.font = "12px system-ui, sans-serif";
        context.lineWidth = 1;
        context.fillStyle = tone("--muted");
        context.strokeStyle = tone("--line");
        context.textBaseline = "middle";
        context.textAlign = "right";
        for (const value of ticks(low, high, 4)) {
            line(context, [[MARGIN.left, y(value)], [right, y(value)]]);
            context.fillText(this.axis(value), MARGIN.left - 6, y(value));
        }
        context.textBaseline = "top";
        context.textAlign = "center";
        for (const step of last > 0 ? ticks(0, last, Math.max(2, (right - MARGIN.left) / 110)).filter(Number.isInteger) : [0]) {
            context.fillText(step === 0 ? "step 0" : brief(step), x(step), bottom + 8);
        }
        if (highest > high) { // a few points, which would flatten the others
            context.textBaseline = "top";
            context.textAlign = "right";
            context.fillText(`↑ up to ${this.axis(highest)}`, right, 0);
        }
    }

    paintNames(context, series, { right, y }) {
        context.textBaseline = "middle";
        context.textAlign = "left";
        const ends = series.map(({ line: points }) => points.at(-1)?.[1] ?? NaN);
        const places = apart(ends.map((end) => (Number.isFinite(end) ? y(end) : y(0))), 15);
        series.forEach(({ name, tone: property }, index) => {
            if (Number.isFinite(ends[index])) {
                context.fillStyle = tone(property);
                context.fillText(`${name} ${this.say(ends[index])}`, right + 6, Math.min(HEIGHT - 8, places[index]));
            }
        });
    }

    sentence(series) {
        const told = series.filter(({ line: points }) => points.length > 0).map(({ name, line: points }) => {
            const [first, now] = [points[0][1], points.at(-1)[1]];
            return `${name} from ${this.say(first)} to ${this.say(now)}`;
        });
        return `${this.title}: ${told.join("; ") || "nothing yet"}`;
    }
}

/** Whether so many epochs are over that they make the line themselves. */
export function isLong(epochs) {
    return epochs.length > MANY;
}

const tone = (property) => rgb(color(property));

function line(context, points) {
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.stroke();
}

function paintSeries(context, { line: points, marks, tone: property, dash }, { x, y }) {
    context.strokeStyle = tone(property);
    context.fillStyle = tone(property);
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.setLineDash(dash);
    line(context, (isLong(marks) ? marks : points).filter(([, value]) => Number.isFinite(value)).map(([step, value]) => [x(step), y(value)]));
    context.setLineDash([]);
    for (const [step, value] of isLong(marks) ? [] : marks.filter((mark) => Number.isFinite(mark[1]))) {
        context.beginPath();
        context.arc(x(step), y(value), 3, 0, 2 * Math.PI);
        context[dash.length > 0 ? "stroke" : "fill"]();
    }
}
