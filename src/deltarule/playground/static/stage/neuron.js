// One neuron under the glass: its incoming weights as an image, what each input adds, and where its output goes.

import { diverging, element, farthest, paintPixels, picture, shown } from "../shared/widgets.js";
import { nameOf } from "./answers.js";

const MOST_CELLS = 128; // a wider layer shows groups of neighbors

/** How many neurons share a cell in a layer of `size`. */
export const groupSize = (size) => Math.ceil(size / MOST_CELLS);

/** How many cells stand side by side in a layer of `size` neurons. */
export const columnsOf = (size) => Math.min(8, Math.ceil(Math.sqrt(Math.ceil(size / groupSize(size)) / 2)));

/** The strongest edges out of a neuron, [{ to, weight, strength }]: strength is what it adds now, else the weight. */
export function strongestEdges(store, layer, neuron, count) {
    const { network, trace } = store;
    const fanOut = network.sizes[layer + 1];
    if (fanOut === undefined) {
        return [];
    }
    const activation = trace ? trace.a[layer][neuron] : 1;
    const row = network.weights[layer].subarray(neuron * fanOut, (neuron + 1) * fanOut);
    return [...row]
        .map((weight, to) => ({ to, weight, strength: weight * activation }))
        .sort((one, other) => Math.abs(other.strength) - Math.abs(one.strength))
        .slice(0, count)
        .filter(({ strength }) => strength !== 0);
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

/** The neuron of a cell that is worth looking at: the one with the largest activation. */
function strongest({ layer, neuron, group }, trace) {
    const sizes = trace ? trace.a[layer].subarray(neuron, neuron + group).map(Math.abs) : [0];
    return neuron + sizes.reduce((best, size, at) => (size > sizes[best] ? at : best), 0);
}

/** "Layer 1, neuron 7", or for an output "Output 7". */
function titleOf(network, layer, neuron) {
    return layer === network.sizes.length - 1 ? `Output ${nameOf(network, neuron)}` : `Layer ${layer - 1}, neuron ${neuron}`;
}

/** A picture of values on the diverging scale, and a line beneath that says where the scale ends. */
class Signed {
    constructor(says) {
        this.says = says;
        this.canvas = picture(1, 1, says);
        this.caption = element("figcaption");
        this.node = element("figure", {}, this.canvas, this.caption);
    }

    paint(values, [width, height]) {
        const reach = farthest(values);
        Object.assign(this.canvas, { width, height });
        paintPixels(this.canvas, values, (value) => diverging(value ?? 0, reach));
        this.caption.textContent = `${this.says}, up to ±${shown(reach)}`;
    }
}

/** How a neuron comes to its activation, in words. */
function sumOf({ network, trace }, layer, neuron, total) {
    const bias = shown(network.biases[layer - 1][neuron]);
    if (!trace) {
        return `Its bias is ${bias}. Draw something, and it answers.`;
    }
    const name = layer === network.sizes.length - 1 ? network.output : network.hidden[layer - 1];
    const [z, a] = [trace.z[layer][neuron], trace.a[layer][neuron]];
    return `Its inputs add ${shown(total)}, its bias ${bias}: z = ${shown(z)}, and ${name} makes of it a = ${shown(a)}.`;
}

/** Whom a neuron tells, one item each. */
function edgesOf(store, layer, neuron) {
    const edges = strongestEdges(store, layer, neuron, 6);
    if (edges.length === 0 && layer < store.network.sizes.length - 1) {
        return [element("li", {}, "It is silent now: it adds nothing to the next layer.")];
    }
    return edges.map(({ to, weight, strength }) => element("li", {},
        `to ${titleOf(store.network, layer + 1, to)}: weight ${shown(weight)}${store.trace ? `, adds ${shown(strength)}` : ""}`));
}

/** The panel below the diagram: { node, paint({ layer, neuron, group }) }; `paint` returns what it says, for the ear. */
export function makeDetail(store) {
    const [title, sum] = [element("h2", {}, "A neuron"), element("p", {}, "Point at a neuron, or walk to one with the arrow keys.")];
    const [weights, added] = [new Signed("incoming weights"), new Signed("weight × input")];
    const edges = element("ul", { class: "out" });
    const pictures = element("div", { class: "row pictures", hidden: true }, weights.node, added.node);
    const node = element("section", { class: "detail", tabindex: "0", "aria-label": "The neuron that is looked at" }, title, sum, pictures, edges);

    const paint = (place) => {
        const { network, trace } = store;
        const { layer } = place;
        const neuron = strongest(place, trace);
        const into = incoming(network, layer, neuron);
        const products = into.map((weight, from) => (trace ? weight * trace.a[layer - 1][from] : 0));
        const shape = shapeInto(network, layer);
        pictures.hidden = false;
        weights.paint(into, shape);
        added.paint(products, shape);
        title.textContent = titleOf(network, layer, neuron) + (place.group > 1 ? " (the strongest of its cell)" : "");
        sum.textContent = sumOf(store, layer, neuron, products.reduce((all, each) => all + each, 0));
        edges.replaceChildren(...edgesOf(store, layer, neuron));
        return `${title.textContent}. ${sum.textContent}`;
    };
    return { node, paint };
}
