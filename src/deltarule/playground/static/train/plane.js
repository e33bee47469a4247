// A world of two numbers: the network's answer all over the plane, the points on it, and the plane as every neuron sees it.

import { activations } from "../engine/network.js";
import { announce, button, diverging, color, element, farthest, paintWords, repaintOn, rgb, roving, shown, wordOf } from "../shared/widgets.js";
import { makeAnswers } from "../stage/answers.js";
import { COLORS, REACH, snapped } from "./worlds.js";

const SIZE = 600; // of the large picture
const SIDE = 48; // of the grid on which neurons are asked; less where a network is large
const PALE = 1.7; // the answer stays below full color, which is the points'
const WORK = 4e7; // products that all points of the grid may take
const MOST_CELLS = 32; // of a layer
const KEYS = "Click to put a point. By keyboard: arrow keys move, Space puts a point, Backspace takes the last one away.";

/** The plane, row by row from the top: [x1, x2] of each point of a grid. */
function gridOf(side) {
    const place = (index) => REACH * (2 * (index + 0.5) / side - 1);
    return Float64Array.from({ length: 2 * side * side }, (_, at) => {
        const index = Math.floor(at / 2);
        return at % 2 === 0 ? place(index % side) : -place(Math.floor(index / side));
    });
}

export class Plane {
    /** @param {(points: number[][]) => void} put is given the points once a person has put or removed one */
    constructor(panel, store, put) {
        Object.assign(this, { store, put, points: [], train: 0, color: 1, seen: null });
        this.small = element("canvas");
        this.canvas = element("canvas", { width: SIZE, height: SIZE, class: "pad plane", role: "application", tabindex: "0", "aria-roledescription": "plane of points", "aria-describedby": "plane-keys" });
        this.caption = element("p", { class: "small muted" });
        const choices = COLORS.map((name, index) => button(name, () => this.choose(index), { "aria-pressed": String(index === 1), class: `color ${name}` }));
        this.choose = (index) => {
            this.color = index;
            choices.forEach((each, other) => each.setAttribute("aria-pressed", String(other === index)));
        };
        this.node = element("div", { class: "desk world", hidden: true }, this.canvas, this.caption,
            element("div", { class: "row", role: "group", "aria-label": "Color of the next point" }, ...choices,
                button("Undo", () => this.put(this.points.slice(0, -1))), button("Clear", () => this.put([]))),
            element("p", { id: "plane-keys", class: "small muted" }, KEYS), makeAnswers(panel, store));
        this.cells = element("section", { class: "neurons", hidden: true });
        this.connect();
        this.repaint = repaintOn(store, panel, ["network", "x", "tab"], () => this.paint());
    }

    connect() {
        const at = ({ clientX, clientY }) => {
            const box = this.canvas.getBoundingClientRect();
            return [(2 * (clientX - box.left) / box.width - 1) * REACH, (1 - 2 * (clientY - box.top) / box.height) * REACH];
        };
        const look = (x) => this.store.set({ x: Float64Array.from(x, (each) => Math.max(-REACH, Math.min(REACH, each))), label: null });
        const add = (x) => this.put([...this.points, snapped([...x, this.color])]);
        this.canvas.addEventListener("pointermove", (event) => this.isShown && look(at(event)));
        this.canvas.addEventListener("click", (event) => add(at(event)));
        this.canvas.addEventListener("keydown", (event) => {
            const x = [...this.store.x ?? [0, 0]];
            const [along, by] = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 1], ArrowDown: [1, -1] }[event.key] ?? [];
            if (along !== undefined) {
                x[along] += by * REACH / 26;
                look(x);
                announce(this.sentence());
            } else if (event.key === " ") {
                add(x);
            } else if (event.key === "Backspace") {
                this.put(this.points.slice(0, -1));
            } else {
                return;
            }
            event.preventDefault();
        });
        ["pointerover", "focusin"].forEach((name) => this.cells.addEventListener(name, ({ target }) => this.see(target.closest("canvas"))));
        ["pointerleave", "focusout"].forEach((name) => this.cells.addEventListener(name, () => this.see(null)));
        roving(this.cells, "canvas", () => 8);
    }

    /** Whether the network that the page looks at belongs to a world. */
    get isShown() {
        return this.store.network?.sizes[0] === 2 && this.store.network.sizes.at(-1) === 2;
    }

    /** Shows these points, the first `train` of which are learned; null: there is no world. */
    show(points, train = 0) {
        Object.assign(this, { points: points ?? [], train });
        this.node.hidden = this.cells.hidden = points === null;
        this.repaint();
    }

    /** Shows in the large picture what one neuron sees, whose cell that is, or the answer again. */
    see(cell) {
        this.seen = cell ? [Number(cell.dataset.layer), Number(cell.dataset.neuron)] : null;
        this.repaint();
    }

    /** Makes a cell for each hidden neuron. */
    build() {
        const { network } = this.store;
        this.structure = this.store.structure;
        this.seen = null;
        const parameters = network.weights.reduce((sum, each) => sum + each.length, 0);
        this.side = Math.max(12, Math.min(SIDE, Math.floor(Math.sqrt(WORK / parameters))));
        this.grid = gridOf(this.side);
        this.cells.replaceChildren(...network.hidden.map((name, l) => {
            const size = network.sizes[l + 1];
            const few = size > MOST_CELLS ? `the first ${MOST_CELLS} of ` : "";
            const cells = Array.from({ length: Math.min(MOST_CELLS, size) }, (_, j) => element("canvas", { width: this.side, height: this.side,
                role: "img", tabindex: j === 0 && l === 0 ? "0" : "-1", "data-layer": l, "data-neuron": j, class: "cell-plane" }));
            return element("div", { class: "neuron-layer" }, element("h3", {}, `Layer ${l}: ${few}${size} × ${name}`), element("div", { class: "planes" }, ...cells));
        }));
    }

    paint() {
        const { network } = this.store;
        if (this.node.hidden || !this.isShown) {
            return;
        }
        if (this.structure !== this.store.structure) {
            this.build();
        }
        if (this.asked !== network || this.tone !== color("--zero")) {
            [this.asked, this.tone] = [network, color("--zero")];
            this.inks = Uint32Array.from({ length: 255 }, (_, index) => wordOf(diverging(index - 127, 127)));
            this.layers = activations(network, this.grid);
            this.cells.querySelectorAll("canvas").forEach((cell) => this.paintCell(cell));
        }
        this.paintLarge();
    }

    /** What a hidden neuron makes of the grid, and the value in full color; a sigmoid's middle is 1/2. */
    planeOf(l, j) {
        const size = this.store.network.sizes[l + 1];
        const isSigmoid = this.store.network.hidden[l] === "sigmoid";
        const values = Float64Array.from({ length: this.side ** 2 }, (_, at) => this.layers[l][at * size + j] - (isSigmoid ? 0.5 : 0));
        return [values, isSigmoid ? 0.5 : farthest(values)];
    }

    paintPlane(canvas, [values, scale]) {
        const by = 127 / (scale || 1);
        paintWords(canvas, (words) => {
            for (let at = 0; at < words.length; at += 1) {
                words[at] = this.inks[127 + Math.round(Math.max(-127, Math.min(127, by * values[at])) || 0)];
            }
        });
    }

    paintCell(cell) {
        const [l, j] = [Number(cell.dataset.layer), Number(cell.dataset.neuron)];
        const { weights: [W], biases: [b], sizes } = this.store.network;
        const plane = this.planeOf(l, j);
        this.paintPlane(cell, plane);
        cell.setAttribute("aria-label", l === 0 ? `Layer 0, neuron ${j}: weights ${shown(W[j])} and ${shown(W[sizes[1] + j])}, bias ${shown(b[j])}` :
            `Layer ${l}, neuron ${j}: up to ±${shown(plane[1])}`);
    }

    paintLarge() {
        const outputs = this.layers.at(-1);
        const answer = () => [Float64Array.from({ length: this.side ** 2 }, (_, at) => outputs[2 * at + 1] - outputs[2 * at]), PALE];
        Object.assign(this.small, { width: this.side, height: this.side });
        this.paintPlane(this.small, this.seen ? this.planeOf(...this.seen) : answer());
        const context = this.canvas.getContext("2d");
        context.imageSmoothingQuality = "high";
        context.drawImage(this.small, 0, 0, SIZE, SIZE);
        const place = ([x, y]) => [(x / REACH + 1) * SIZE / 2, (1 - y / REACH) * SIZE / 2];
        this.points.forEach((point, index) => paintPoint(context, place(point), point[2], index >= this.train));
        if (this.store.x) {
            context.lineWidth = 3;
            context.strokeStyle = rgb(color("--ink"));
            context.beginPath();
            context.arc(...place(this.store.x), 14, 0, 2 * Math.PI);
            context.stroke();
        }
        const [l, j] = this.seen ?? [];
        this.caption.textContent = this.seen ? `Layer ${l}, neuron ${j}: blue where it is above ${this.store.network.hidden[l] === "sigmoid" ? "one half" : "0"}, orange below.` :
            `What the network answers, pale where it is in doubt.${this.train < this.points.length ? " Filled points are learned, hollow ones held out." : ""}`;
        this.canvas.setAttribute("aria-label", this.sentence());
    }

    sentence() {
        const { x, outputs, answer } = this.store;
        const here = x && outputs ? ` At ${shown(x[0])}, ${shown(x[1])} the answer is ${COLORS[answer]}.` : "";
        return `${this.points.length} points, ${this.train} of them to be learned.${here}`;
    }
}

/** A point: a disk where it is orange, a square where it is blue, hollow where it is held out. */
function paintPoint(context, [x, y], kind, isHollow) {
    const tone = rgb(color(kind === 1 ? "--positive" : "--negative"));
    context.beginPath();
    kind === 1 ? context.rect(x - 6, y - 6, 12, 12) : context.arc(x, y, 7, 0, 2 * Math.PI);
    context.fillStyle = isHollow ? rgb(color("--paper")) : tone;
    context.strokeStyle = isHollow ? tone : rgb(color("--paper"));
    context.lineWidth = isHollow ? 4 : 2;
    context.fill();
    context.stroke();
}
