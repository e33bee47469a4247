// The strongest connections between the cells as lines, and the motion that runs along them: forward, or the error back.

import { isCalm, largestOf } from "../shared/widgets.js";
import { groupSize } from "./neuron.js";

const SENDERS = 8; // neurons of a layer from which lines go
const LINES = 24; // between two layers
const WAVE = 320; // milliseconds from one layer to the next
const SVG = "http://www.w3.org/2000/svg";

/**
 * The strongest connections between layers l and l + 1, [{ from, to, strength }]: those of the strongest neurons of one side,
 * whose values are given.
 * @param {boolean} back whether the values are the errors of layer l + 1, and go back to layer l
 */
export function strongestBetween({ weights, sizes }, l, values, back) {
    const fanOut = sizes[l + 1];
    const sent = largestOf(values, SENDERS).flatMap((one) => {
        const product = (_, other) => values[one] * weights[l][back ? other * fanOut + one : one * fanOut + other];
        const strengths = Float64Array.from({ length: back ? sizes[l] : fanOut }, product);
        return largestOf(strengths, SENDERS).map((other) =>
            ({ from: back ? other : one, to: back ? one : other, strength: strengths[other] }));
    });
    return sent.sort((one, other) => Math.abs(other.strength) - Math.abs(one.strength)).slice(0, LINES);
}

/** The lines of a diagram. */
export class Wires {
    constructor(network, diagram) {
        Object.assign(this, { network, diagram, nodes: {}, places: new Map() });
        this.svg = document.createElementNS(SVG, "svg");
        this.svg.setAttribute("class", "edges");
        this.svg.setAttribute("aria-hidden", "true");
        this.groups = [...network.weights, "chosen"].map(() => document.createElementNS(SVG, "g"));
        this.svg.append(...this.groups);
        diagram.append(this.svg);
    }

    /** Forgets where everything is: the next lines are drawn anew. */
    forget() {
        this.places.clear();
        this.groups.forEach((group) => group.replaceChildren());
    }

    /** The element that stands for a neuron: the cell that it shares, its bar, its field, or the whole picture. */
    elementOf(layer, neuron) {
        return (this.nodes[`${layer}:${neuron}`] ??= this.find(layer, neuron));
    }

    find(layer, neuron) {
        const { sizes } = this.network;
        if (layer === 0) {
            const fields = this.diagram.querySelectorAll(".fields label");
            return fields.length === sizes[0] ? fields[neuron] : this.diagram.querySelector(".input :is(.pad, .paintable, .fields, p)");
        }
        return layer === sizes.length - 1 ? this.diagram.querySelector(`.bars li[data-neuron="${neuron}"]`)
            : this.diagram.querySelector(`.cell[data-layer="${layer}"][data-neuron="${neuron - (neuron % groupSize(sizes[layer]))}"]`);
    }

    /** Where lines reach it: the middle of its left and of its right edge. All are measured at once, before any line is drawn. */
    placeOf(layer, neuron) {
        if (this.places.size === 0) {
            const frame = this.svg.getBoundingClientRect();
            this.diagram.querySelectorAll(".cell, .bars li, .input *").forEach((node) => {
                const box = node.getBoundingClientRect();
                this.places.set(node, { left: box.left - frame.left, right: box.right - frame.left, y: box.top + box.height / 2 - frame.top });
            });
        }
        return this.places.get(this.elementOf(layer, neuron));
    }

    /** Draws lines in a group: [{ from, to, strength }] from layer l to the next, the strongest first; dashed where they hold back. */
    draw(group, l, lines, kind) {
        const most = Math.abs(lines[0]?.strength ?? 0);
        const old = new Map([...group.children].map((path) => [path.dataset.ends, path])); // whose ways stay as they are
        lines.forEach(({ from, to, strength }) => {
            const ends = `${l} ${from} ${to}`;
            const path = old.get(ends) ?? group.appendChild(document.createElementNS(SVG, "path"));
            if (!old.delete(ends)) {
                const [{ right: x1, y: y1 }, { left: x2, y: y2 }] = [this.placeOf(l, from), this.placeOf(l + 1, to)];
                const middle = (x1 + x2) / 2;
                path.dataset.ends = ends;
                path.setAttribute("d", `M ${x1} ${y1} C ${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`);
            }
            path.setAttribute("class", strength < 0 ? `${kind} below` : kind);
            path.style.strokeWidth = (0.6 + (2.4 * Math.abs(strength)) / most).toFixed(1);
        });
        old.forEach((path) => path.remove());
    }

    /**
     * Draws the strongest lines of a network between all layers that have values, and none where there are none.
     * @param {(ArrayLike<number> | null)[]} values of each layer: activations, or errors where they go `back`
     */
    paint(network, values, back) {
        this.network = network;
        if (window.matchMedia("(max-width: 760px)").matches) {
            return; // if the layers stand below one another
        }
        const isWhole = !this.elementOf(0, 0).matches("label"); // the input is one picture, and not a field each
        network.weights.forEach((_, l) => {
            const sent = back ? values[l] && values[l + 1] : values[l + 1] && values[l];
            const toPicture = () => largestOf(values[1], SENDERS).map((to) => ({ from: 0, to, strength: values[1][to] }));
            this.draw(this.groups[l], l, !sent ? [] : l === 0 && isWhole ? toPicture() : strongestBetween(network, l, back ? values[l + 1] : values[l], back), "wire");
        });
    }

    /** Lets the lines from layer `first` on to layer `last` grow, one layer after the other; back: from right to left. */
    flow(back = false, first = 0, last = this.network.weights.length) {
        if (isCalm()) {
            return;
        }
        this.groups.slice(first, last).forEach((group, l) => {
            const delay = WAVE * (back ? last - first - 1 - l : l);
            const timing = { duration: WAVE, delay, fill: "backwards", easing: "ease-in-out" };
            [...group.children].forEach((path) => {
                const length = path.getTotalLength();
                const frames = [length * (back ? -1 : 1), 0].map((offset) => ({ strokeDasharray: `${length} ${length}`, strokeDashoffset: offset }));
                path.animate(frames, timing);
            });
            const lit = this.diagram.querySelector(`[data-cells="${first + l + (back ? 0 : 1)}"]`);
            lit?.animate([{ opacity: 0.25 }, { opacity: 1 }], { ...timing, delay: delay + WAVE / 2 });
        });
    }
}
