// One neuron up close: its incoming weights as an image, what each input adds, where its output goes; and fields
// to change its bias and its strongest connections.

import { readsDrawings } from "../shared/store.js";
import { button, element, farthest, largestOf, numberField, paintSigned, picture, shown } from "../shared/widgets.js";
import { nameOf } from "./answers.js";
import { isSilent, noiseOn, silenced, touched, withNoise } from "./touch.js";

const MOST_FIELDS = 4; // connections of a neuron that the user can change
const MOST_CELLS = 128; // a wider layer shows groups of neighbors

/** How many neurons share a cell in a layer of `size`. */
export const groupSize = (size) => Math.ceil(size / MOST_CELLS);

/** How many cells stand side by side in a layer of `size` neurons. */
export const columnsOf = (size) => Math.min(8, Math.ceil(Math.sqrt(Math.ceil(size / groupSize(size)) / 2)));

/** The strongest edges out of a neuron, [{ to, strength }]: strength is its present product, else the weight. */
export function strongestEdges(store, layer, neuron, count) {
    const { network, trace } = store;
    const fanOut = network.sizes[layer + 1];
    if (fanOut === undefined) {
        return [];
    }
    const activation = trace ? trace.a[layer][neuron] : 1;
    const strengths = network.weights[layer].subarray(neuron * fanOut, (neuron + 1) * fanOut).map((weight) => weight * activation);
    return largestOf(strengths, count).map((to) => ({ to, strength: strengths[to] }));
}

/** The weights into a neuron, (fan_in,). */
function incoming(network, layer, neuron) {
    const [fanIn, fanOut] = [network.sizes[layer - 1], network.sizes[layer]];
    return Float64Array.from({ length: fanIn }, (_, from) => network.weights[layer - 1][from * fanOut + neuron]);
}

/** The shape [width, height] in which the inputs of a layer are drawn: the image's, or that of the layer's cells. */
function shapeInto(network, layer) {
    const size = network.sizes[layer - 1];
    if (layer === 1 && network.imageShape) {
        return [network.imageShape[1], network.imageShape[0]];
    }
    const columns = layer === 1 ? Math.ceil(Math.sqrt(size)) : columnsOf(size);
    return [columns, Math.ceil(size / columns)];
}

/** The most interesting neuron of a cell: the one with the largest activation. */
function strongest({ layer, neuron, group }, trace) {
    return neuron + (largestOf(trace?.a[layer].subarray(neuron, neuron + group) ?? [], 1)[0] ?? 0);
}

/** "Layer 1, neuron 7", or for an output "Output 7". */
function titleOf(network, layer, neuron) {
    return layer === network.sizes.length - 1 ? `Output ${nameOf(network, neuron)}` : `Layer ${layer - 1}, neuron ${neuron}`;
}

/** A picture of values on the diverging scale, and a line beneath with the ends of the scale. */
class Signed {
    constructor(says) {
        this.says = says;
        this.canvas = picture(says);
        this.caption = element("figcaption");
        this.node = element("figure", {}, this.canvas, this.caption);
    }

    paint(values, [width, height]) {
        const reach = farthest(values);
        Object.assign(this.canvas, { width, height });
        paintSigned(this.canvas, values, reach);
        this.caption.textContent = `${this.says}, up to ±${shown(reach)}`;
    }
}

/** How a neuron comes to its activation, in words. */
function sumOf(store, layer, neuron, total) {
    const { network, trace } = store;
    const bias = shown(network.biases[layer - 1][neuron]);
    if (!trace) {
        return `Its bias is ${bias}. Draw something to see its activation.`;
    }
    const name = layer === network.sizes.length - 1 ? network.output : network.hidden[layer - 1];
    const [z, a] = [trace.z[layer][neuron], trace.a[layer][neuron]];
    const sent = isSilent(network, layer, neuron) ? " You silenced it: it sends nothing to the next layer." : a === 0 ? " It is silent: it adds nothing to the next layer." : "";
    const noise = noiseOn(store, layer, neuron) > 0 ? `, noise ${shown(z - total - network.biases[layer - 1][neuron])}` : "";
    return `Its inputs add ${shown(total)}, its bias ${bias}${noise}: z = ${shown(z)}, and ${name} gives a = ${shown(a)}.${sent}`;
}

/** The strongest connections of a neuron, into it and out of it: { l, index, text } of a weight of layer l. */
function connectionsOf(store, layer, neuron, products) {
    const { network } = store;
    const isPixels = layer === 1 && network.imageShape; // the pictures show them better
    const count = isPixels ? 0 : layer === network.sizes.length - 1 ? MOST_FIELDS : MOST_FIELDS / 2;
    const into = largestOf(products, count).map((from) => ({ l: layer, index: from * network.sizes[layer] + neuron, text: `from ${layer === 1 ? "input" : "neuron"} ${from}` }));
    const [most, sent] = [MOST_FIELDS - into.length, strongestEdges(store, layer, neuron, MOST_FIELDS)];
    const out = (sent.length > 0 ? sent : strongestEdges({ network }, layer, neuron, most)).slice(0, most).map(({ to }) =>
        ({ l: layer + 1, index: neuron * network.sizes[layer + 1] + to, text: `to ${layer + 1 < network.weights.length ? `neuron ${to}` : titleOf(network, layer + 1, to)}` }));
    return [...into, ...out];
}

/** The panel beside the diagram: { node, paint({ layer, neuron, group }) }; `paint` returns its text, for screen readers. */
export function makeDetail(store) {
    let at = null; // { layer, neuron } that the fields are about
    const start = readsDrawings(store.network) ? "Draw, and every neuron reacts. New here? The tour takes two minutes." : "Change an input, and every neuron reacts.";
    const [title, sum] = [element("h2", {}, "A neuron"), element("p", {}, `${start} Point at a neuron, or go to one with the arrow keys.`)];
    const [weights, added] = [new Signed("incoming weights"), new Signed("weight × input")];
    const change = (kind, l, index) => (value) => store.set({ network: touched(store.network, kind, l, (numbers) => (numbers[index] = value)) });
    const bias = numberField((value) => change("b", at.layer, at.neuron)(value), { step: "0.1", "aria-label": "bias" }, "oninput");
    const noise = numberField((size) => store.set({ noise: withNoise(store, at.layer, at.neuron, size) }), { min: "0", step: "0.5", "aria-label": "noise" }, "oninput");
    const freeze = button("Freeze its layer", () => {
        const others = store.frozen.filter((l) => l !== at.layer);
        store.set({ frozen: others.length < store.frozen.length ? others : [...others, at.layer] });
    }, { title: "Training in this page then leaves its weights and biases as they are" });
    const silence = button("Silence it", () => store.set({ network: silenced(store.network, at.layer, at.neuron) }), { "aria-pressed": "false" });
    const edges = element("ul", { class: "out" });
    const letGo = button("Let go", () => node.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })), { class: "let-go" });
    const hand = element("div", { class: "row hand" }, element("label", { class: "row" }, "bias", bias),
        element("label", { class: "row", title: "The size of random numbers that are added to z, new ones at every change" }, "noise", noise), silence, freeze, letGo);
    const pictures = element("div", { class: "row pictures" }, weights.node, added.node);
    const hint = element("p", { class: "small muted" }, "Click a neuron to keep it open and change its numbers; Escape closes it.");
    const inside = element("div", { hidden: true }, pictures, hand, edges);
    const node = element("section", { class: "detail", tabindex: "0", "aria-label": "The selected neuron" }, title, sum, inside, hint);
    let rows = [];

    /** A row for each connection; where one is being changed, all stay. */
    const showEdges = (found, isHeld) => {
        if (!isHeld || !edges.contains(document.activeElement)) {
            rows = found.map(({ l, index, text }) => {
                const [field, adds] = [numberField(change("W", l, index), { step: "0.1" }, "oninput"), element("span")];
                return { l, index, field, adds, row: element("li", {}, element("label", {}, element("span", {}, text), field), adds) };
            });
            edges.replaceChildren(...rows.map(({ row }) => row));
        }
        rows.forEach(({ l, index, field, adds }) => {
            const weight = store.network.weights[l - 1][index];
            const product = store.trace && weight * store.trace.a[l - 1][Math.floor(index / store.network.sizes[l])];
            adds.textContent = product === null ? "" : product < 0 ? `takes ${shown(-product)}` : `adds ${shown(product)}`;
            showNumber(field, weight);
        });
    };
    const paint = (place) => {
        const { network, trace } = store;
        const { layer } = place;
        const isHeld = at?.place === place && node.contains(document.activeElement); // then the neuron of a cell stays the same
        const neuron = isHeld ? at.neuron : strongest(place, trace);
        at = { layer, neuron, place };
        const into = incoming(network, layer, neuron);
        const products = into.map((weight, from) => (trace ? weight * trace.a[layer - 1][from] : weight));
        const shape = shapeInto(network, layer);
        inside.hidden = false;
        weights.paint(into, shape);
        added.paint(trace ? products : products.fill(0), shape);
        title.textContent = titleOf(network, layer, neuron) + (place.group > 1 ? " (the strongest of its cell)" : "");
        sum.textContent = sumOf(store, layer, neuron, trace ? products.reduce((all, each) => all + each, 0) : 0);
        showNumber(bias, network.biases[layer - 1][neuron]);
        showNumber(noise, noiseOn(store, layer, neuron));
        freeze.setAttribute("aria-pressed", String(store.frozen.includes(layer)));
        silence.hidden = layer === network.sizes.length - 1;
        silence.setAttribute("aria-pressed", String(isSilent(network, layer, neuron)));
        showEdges(connectionsOf(store, layer, neuron, products), isHeld);
        return `${title.textContent}. ${sum.textContent}`;
    };
    return { node, paint };
}

/** Shows a number in a field, unless somebody is writing there. */
function showNumber(field, value) {
    if (field !== document.activeElement) {
        field.value = String(Number(value.toPrecision(4)));
    }
}
