// The stage that all tabs share: the input, every hidden neuron as a cell, the outputs as bars, what holds them
// together, and beside it the neuron that is pointed at.

import { makeDesk } from "../draw/draw.js";
import { begin, makeInputs } from "../draw/inputs.js";
import { makeSurface } from "../draw/surface.js";
import { readsDrawings } from "../shared/store.js";
import { announce, diverging, element, farthest, inNextFrame, repaintOn, rgb, roving } from "../shared/widgets.js";
import { makeAnswers } from "./answers.js";
import { columnsOf, groupSize, makeDetail, strongestEdges } from "./neuron.js";
import { isSilent, noiseOn } from "./touch.js";
import { Wires } from "./wires.js";

const N_EDGES = 6;
const FEW = 10; // neurons that stand below one another
const PAUSE = 250; // milliseconds after which a drawing counts as finished, and its signal runs through the network

/** A column of the diagram: its name in bold, details in small type, and its content below. */
function column(kind, title, says, ...inside) {
    return element("div", { class: kind }, element("h3", {}, `${title} `, element("span", { class: "small muted" }, says)), ...inside);
}

/** One hidden layer: its cells, and the largest activation seen, which is the end of the color scale. */
class LayerCells {
    constructor(network, layer) {
        const size = network.sizes[layer];
        Object.assign(this, { layer, size, group: groupSize(size), reach: 0, states: [] }); // layer counts from 1
        this.cells = Array.from({ length: Math.ceil(this.size / this.group) }, (_, index) =>
            element("button", { type: "button", class: "cell", tabindex: index === 0 ? "0" : "-1",
                "data-layer": layer, "data-neuron": index * this.group, "aria-label": this.named(index) }));
        const grouped = this.group > 1 ? `, ${this.group} a cell` : "";
        const [title, says] = [`Layer ${layer - 1}`, `${this.size} × ${network.hidden[layer - 1]}${grouped}`];
        const grid = element("div", { class: this.size <= FEW ? "cells few" : this.size > 64 ? "cells many" : "cells", role: "group", "data-cells": layer, "aria-label": `${title}: ${says}` }, ...this.cells);
        grid.style.setProperty("--columns", this.size <= FEW ? 1 : columnsOf(this.size));
        roving(grid, ".cell", () => getComputedStyle(grid).gridTemplateColumns.split(" ").length);
        this.node = column("layer", title, says, grid);
    }

    named(index) {
        const first = index * this.group;
        const last = Math.min(this.size, first + this.group) - 1;
        return `Layer ${this.layer - 1}, ${first === last ? `neuron ${first}` : `neurons ${first} to ${last}`}`;
    }

    /**
     * The mean value of each cell's neurons, its sign as a tick, and a cross if the user has silenced it.
     * values: (size,) or null; errors have a scale of their own
     */
    paint({ network, noise }, values, areErrors) {
        const means = this.cells.map((_, index) => {
            const members = values ? values.subarray(index * this.group, (index + 1) * this.group) : [0];
            return members.reduce((sum, value) => sum + value, 0) / members.length;
        });
        this.reach = areErrors ? this.reach : Math.max(this.reach, farthest(means));
        const reach = areErrors ? farthest(means) : this.reach;
        this.cells.forEach((cell, index) => {
            const [fill, sign] = [rgb(diverging(means[index], reach)), ["below", "zero", "above"][1 + Math.sign(means[index])] ?? "zero"];
            if (this.states[index] !== sign + fill) { // most neurons rest while one draws
                this.states[index] = sign + fill;
                cell.style.backgroundColor = fill;
                cell.dataset.sign = sign;
            }
            cell.classList.toggle("silent", network.was !== undefined && this.group === 1 && isSilent(network, this.layer, index));
            cell.classList.toggle("noisy", this.group === 1 && noiseOn({ noise }, this.layer, index) > 0);
        });
    }
}

/** Everything that belongs to networks of one structure. */
function build(store, examples) {
    const { network, network: { imageShape, sizes } } = store;
    const diagram = element("div", { class: network.hidden.length > 2 ? "diagram deep" : "diagram" });
    const layers = network.hidden.map((_, index) => new LayerCells(network, index + 1));
    const last = sizes.length - 1;
    const read = imageShape ? `${imageShape[1]} × ${imageShape[0]} pixels` : `${sizes[0]} number${sizes[0] === 1 ? "" : "s"}`;
    const input = column("layer input", "Input", read, readsDrawings(network) ? makeDesk(diagram, store, examples) : makeInputs(diagram, store, network.practice ? null : examples));
    const outputs = column("layer outputs", `Layer ${last - 1}`, `${sizes[last]} × ${network.output}`, makeAnswers(diagram, store));
    const columns = [...layers.map(({ node }) => node), outputs];
    const surface = network.isWorld && sizes.join() === "1,1" ? [column("layer", "Loss", "of w and b", makeSurface(diagram, store))] : [];
    diagram.append(input, ...columns, ...surface);
    return { diagram, layers, columns, wires: new Wires(network, diagram), detail: makeDetail(store) };
}

/** Mounts the stage into its panel. */
export function mount(panel, store, examples) {
    const built = new Map(); // the parts of each structure that has been shown
    let parts = null;
    let chosen = null; // { layer, neuron } under the mouse or the focus
    let held = null; // the element of the one that stays chosen
    const paint = () => {
        const { trace, tab } = store;
        const flow = (tab === "backprop" && store.flow) || { values: trace?.a ?? store.network.sizes.map(() => null), back: false };
        const last = store.network.sizes.length - 1;
        parts.layers.forEach((layer) => layer.paint(store, flow.values[layer.layer], flow.back));
        parts.columns.forEach((node, at) => node.classList.toggle("frozen", store.frozen.includes(at + 1)));
        parts.wires.paint(store.network, flow.values, flow.back);
        panel.querySelectorAll(".told").forEach((each) => each.classList.remove("told", "below"));
        if (flow.back) {
            const most = farthest(flow.values[last]);
            flow.values[last].forEach((value, neuron) => Math.abs(value) > 0.01 * most && tell(last, neuron, value));
        }
        const edges = chosen && !flow.back ? strongestEdges(store, chosen.layer, chosen.neuron, N_EDGES) : [];
        const lines = edges.map(({ to, strength }) => ({ from: chosen.neuron, to, strength }));
        parts.wires.draw(parts.wires.groups.at(-1), chosen?.layer ?? 0, lines, "edge");
        lines.forEach(({ to, strength }) => tell(chosen.layer + 1, to, strength));
        parts.diagram.classList.toggle("choosing", lines.length > 0);
        if (chosen) {
            const said = parts.detail.paint(chosen);
            if (chosen.isFocused) {
                announce(said);
                chosen.isFocused = false;
            }
        }
    };
    const tell = (layer, neuron, strength) => parts.wires.elementOf(layer, neuron).classList.add("told", ...(strength < 0 ? ["below"] : []));
    const repaint = repaintOn(store, panel, ["trace", "tab", "label", "flow", "frozen"], () => parts && paint());
    const choose = (place, isFocused = false) => {
        if (place && !held) {
            const layer = Number(place.dataset.layer ?? store.network.sizes.length - 1);
            const group = layer < store.network.sizes.length - 1 ? groupSize(store.network.sizes[layer]) : 1;
            chosen = { layer, neuron: Number(place.dataset.neuron), group, isFocused };
            panel.querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen"));
            place.classList.add("chosen");
            repaint();
        }
    };
    /** Holds a neuron, whatever is pointed at. Null, or the one that is held, lets it go. */
    const hold = (place) => {
        const before = held;
        held = null;
        choose(place);
        held = place !== before && store.tab !== "backprop" ? place : null;
        parts.detail.node.classList.toggle("held", held !== null);
        (held ? parts.detail.node : before)?.focus({ preventScroll: true });
    };
    const neuronOf = ({ target }) => target.closest("[data-neuron]");
    panel.addEventListener("click", (event) => neuronOf(event) && hold(neuronOf(event)));
    panel.addEventListener("keydown", ({ key, target }) => {
        if (key === "Escape" && held) {
            hold(null);
        } else if (key === "Enter" && target.matches(".bars li")) { // a cell is a button, and does so by itself
            target.click();
        }
    });
    panel.addEventListener("pointerover", (event) => choose(neuronOf(event)));
    panel.addEventListener("focusin", (event) => choose(neuronOf(event), true));
    const resized = new ResizeObserver(() => { // of the diagram and its columns: what changes may move cells
        parts.wires.forget();
        repaint();
    });
    let waiting = null;
    store.on(["structure"], () => {
        chosen = held = null;
        panel.querySelectorAll(".chosen, .held").forEach((each) => each.classList.remove("chosen", "held"));
        for (const old of panel.querySelectorAll(".diagram, .detail")) {
            old.hidden = true; // painted no more
            old.remove();
        }
        parts = built.get(store.structure) ?? build(store, examples);
        built.set(store.structure, parts);
        parts.diagram.hidden = parts.detail.node.hidden = false;
        parts.wires.forget();
        store.x === null && parts.diagram.querySelector(".fields, .paintable") && begin(store, examples);
        panel.setAttribute("aria-label", `The network: ${store.network.sizes.join(" – ")}`);
        panel.prepend(parts.diagram);
        panel.querySelector(".beside").prepend(parts.detail.node);
        resized.disconnect();
        [parts.diagram, ...parts.columns].forEach((node) => resized.observe(node));
        repaint();
    });
    store.on(["network", "noise"], () => parts.layers.forEach((layer) => (layer.reach = 0))); // the old parameters'
    store.on(["x", "flow"], () => { // and not each frame of a network that learns
        clearTimeout(waiting);
        waiting = setTimeout(run, store.tab === "backprop" ? 0 : PAUSE);
    });
    const run = inNextFrame(() => {
        const { flow, tab } = store;
        return tab === "backprop" && flow ? parts.wires.flow(flow.back, flow.first, flow.last) : parts.wires.flow();
    });
}
