// Network: the input, every hidden neuron as a cell, the outputs as bars, and what holds them together.

import { makeInputs } from "../draw/inputs.js";
import { makePad } from "../draw/pad.js";
import { readsDrawings } from "../shared/store.js";
import { announce, diverging, element, paintInk, picture, repaintOn, rgb, roving } from "../shared/widgets.js";
import { makeAnswers } from "./answers.js";
import { columnsOf, groupSize, makeDetail, strongestEdges } from "./neuron.js";

const N_EDGES = 6;
const SVG = "http://www.w3.org/2000/svg";

/** A column of the diagram: what it is, in bold and small, above what it holds. */
function column(kind, title, says, ...inside) {
    return element("div", { class: kind }, element("h3", {}, title), element("p", { class: "small muted" }, says), ...inside);
}

/** One hidden layer: its cells, and the largest activation seen, which is the end of the color scale. */
class LayerCells {
    constructor(network, layer) {
        this.layer = layer; // 1 is the first hidden layer
        this.size = network.sizes[layer];
        this.group = groupSize(this.size);
        this.reach = 0;
        const columns = columnsOf(this.size);
        this.cells = Array.from({ length: Math.ceil(this.size / this.group) }, (_, index) =>
            element("button", { type: "button", class: "cell", tabindex: index === 0 ? "0" : "-1",
                "data-layer": layer, "data-neuron": index * this.group, "aria-label": this.named(index) }));
        const grouped = this.group > 1 ? `, ${this.group} a cell` : "";
        const [title, says] = [`Layer ${layer - 1}`, `${this.size} × ${network.hidden[layer - 1]}${grouped}`];
        const grid = element("div", { class: "cells", role: "group", "aria-label": `${title}: ${says}` }, ...this.cells);
        grid.style.setProperty("--columns", columns);
        roving(grid, ".cell", () => columns);
        this.node = column("layer", title, says, grid);
    }

    named(index) {
        const first = index * this.group;
        const last = Math.min(this.size, first + this.group) - 1;
        return `Layer ${this.layer - 1}, ${first === last ? `neuron ${first}` : `neurons ${first} to ${last}`}`;
    }

    /** The mean activation of each cell's neurons, and its sign as a tick. activations: (size,) or null. */
    paint(activations) {
        const means = this.cells.map((_, index) => {
            const members = activations ? activations.subarray(index * this.group, (index + 1) * this.group) : [0];
            return members.reduce((sum, value) => sum + value, 0) / members.length;
        });
        this.reach = Math.max(this.reach, ...means.map(Math.abs));
        this.cells.forEach((cell, index) => {
            cell.style.backgroundColor = rgb(diverging(means[index], this.reach));
            cell.dataset.sign = ["below", "zero", "above"][1 + Math.sign(means[index])] ?? "zero";
        });
    }
}

/** The cell or the row of the bars that stands for a neuron. */
function placeOf(diagram, network, layer, neuron) {
    if (layer === network.sizes.length - 1) {
        return diagram.querySelector(`.bars li[data-neuron="${neuron}"]`);
    }
    const first = neuron - (neuron % groupSize(network.sizes[layer]));
    return diagram.querySelector(`.cell[data-layer="${layer}"][data-neuron="${first}"]`);
}

/** The way of a line from one box to the other, both in the coordinates of the window, drawn in `frame`. */
function wayBetween(frame, start, end) {
    const [x1, y1] = [start.right - frame.left, start.top + start.height / 2 - frame.top];
    const [x2, y2] = [end.left - frame.left, end.top + end.height / 2 - frame.top];
    return `M ${x1} ${y1} C ${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
}

/** Marks those that a neuron reaches most strongly, with lines to them: dashed where it holds them back. */
function paintEdges(svg, diagram, store, { layer, neuron }) {
    svg.replaceChildren();
    diagram.querySelectorAll(".told").forEach((each) => each.classList.remove("told", "below"));
    const from = placeOf(diagram, store.network, layer, neuron);
    const edges = strongestEdges(store, layer, neuron, N_EDGES);
    if (edges.length === 0) {
        return;
    }
    const frame = svg.getBoundingClientRect();
    svg.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    const start = from.getBoundingClientRect();
    const largest = Math.abs(edges[0].strength);
    for (const { to, strength } of edges) {
        const place = placeOf(diagram, store.network, layer + 1, to);
        const below = strength < 0 ? ["below"] : [];
        place.classList.add("told", ...below);
        const line = document.createElementNS(SVG, "path");
        line.setAttribute("d", wayBetween(frame, start, place.getBoundingClientRect()));
        line.setAttribute("class", ["edge", ...below].join(" "));
        line.setAttribute("stroke-width", String(1 + (3 * Math.abs(strength)) / largest));
        svg.append(line);
    }
}

/** The input: a pad to draw on and what is read of it, or the numbers that it is. */
function makeInput(panel, store) {
    const { imageShape, sizes } = store.network;
    if (!readsDrawings(store.network)) {
        const says = imageShape ? `${imageShape[1]} × ${imageShape[0]} pixels` : `${sizes[0]} numbers`;
        return column("layer", "Input", says, makeInputs(panel, store, null));
    }
    const [height, width] = imageShape;
    const seen = picture(width, height, "The image that the network reads");
    repaintOn(store, panel, ["trace"], () => paintInk(seen, (store.x ?? new Float64Array(sizes[0])).map((value) => 255 * value)));
    return column("layer input", "Input", `${width} × ${height} pixels`, makePad(panel, store, "pad-keys").canvas, seen);
}

/** Everything that belongs to one network; made again when another takes its place. */
function build(panel, store) {
    const { network } = store;
    const layers = network.hidden.map((_, index) => new LayerCells(network, index + 1));
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "edges");
    svg.setAttribute("aria-hidden", "true");
    const last = network.sizes.length - 1;
    const outputs = column("layer outputs", `Layer ${last - 1}`, `${network.sizes[last]} × ${network.output}`, makeAnswers(panel, store, { walkable: true }));
    const diagram = element("div", { class: layers.length > 2 ? "diagram deep" : "diagram" }, makeInput(panel, store), ...layers.map(({ node }) => node), outputs, svg);
    return { diagram, layers, svg };
}

/** Mounts the tab into its panel. */
export function mount(panel, store) {
    let parts = null;
    let chosen = null; // { layer, neuron } under the mouse or the focus
    let detail = null;
    const paint = () => {
        parts.layers.forEach((layer) => layer.paint(store.trace ? store.trace.a[layer.layer] : null));
        if (chosen) {
            const said = detail.paint(chosen);
            if (chosen.isFocused) {
                announce(said);
            }
            paintEdges(parts.svg, parts.diagram, store, chosen);
        }
    };
    const repaint = repaintOn(store, panel, ["trace", "tab", "label"], () => parts && paint());
    const choose = (event) => {
        const place = event.target.closest("[data-neuron]");
        if (place) {
            const layer = Number(place.dataset.layer ?? store.network.sizes.length - 1);
            const group = layer < store.network.sizes.length - 1 ? groupSize(store.network.sizes[layer]) : 1;
            chosen = { layer, neuron: Number(place.dataset.neuron), group, isFocused: event.type === "focusin" };
            panel.querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen"));
            place.classList.add("chosen");
            repaint();
        }
    };
    panel.addEventListener("pointerover", choose);
    panel.addEventListener("focusin", choose);
    window.addEventListener("resize", repaint);
    store.addEventListener("change", (event) => {
        if (event.keys.has("structure")) {
            chosen = null;
            detail = makeDetail(store);
            parts = build(panel, store);
            panel.replaceChildren(
                element("p", { class: "muted" }, readsDrawings(store.network) ? "Draw" : "Change an input",
                    ", and every neuron answers. Point at one, or walk there with Tab and the arrow keys, to " +
                    "see its weights, its inputs and where its output goes."),
                parts.diagram, detail.node);
            repaint();
        } else if (event.keys.has("network")) {
            parts.layers.forEach((layer) => (layer.reach = 0)); // it was the old parameters'
        }
    });
}
