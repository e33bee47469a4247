// The outputs as bars, the answer in a word, and the sentence that a screen reader says.

import { readsDrawings } from "./pad.js";
import { announce, element, percent, repaintOn, roving, shown } from "./widgets.js";

/** Whether the outputs of a network are probabilities: a softmax's, or a single sigmoid's. */
export function hasProbabilities(network) {
    return network.output === "softmax" || (network.output === "sigmoid" && network.sizes.at(-1) === 1);
}

/** The name of output `index` for people. */
export function nameOf(network, index) {
    return network.classNames?.[index] ?? String(index);
}

/** The outputs as people want them, in the targets' own units where those were standardized; null where there are none. */
function answers({ network, outputs }) {
    const scaling = network.targetScaling;
    return outputs && scaling ? outputs.map((each, index) => each * scaling.scale[index] + scaling.mean[index]) : outputs;
}

/** What the network makes of the input, as one sentence. */
export function sentence(store) {
    const { network } = store;
    const outputs = answers(store);
    if (!outputs) {
        if (!readsDrawings(network)) {
            return "Nothing given yet.";
        }
        return store.drawing.strokes.length > 0 || store.drawing.picture ? "No digit found." : "Nothing drawn yet.";
    }
    if (network.task !== "classes") {
        return [...outputs].map((value, index) => `${nameOf(network, index)}: ${shown(value)}`).join(", ");
    }
    const order = [...outputs.keys()].sort((one, other) => outputs[other] - outputs[one]);
    const said = (index) => `${nameOf(network, index)}, ${valueText(network, outputs[index])}`;
    const next = order.length > 1 ? `; next ${said(order[1])}` : "";
    const label = store.label === null ? "" : ` ${whoSays(store)} ${nameOf(network, store.label)}.`;
    return `Reads ${said(order[0])}${next}.${label}`;
}

/** Who has said what the input should be: the data that it comes from, or the person at the page. */
function whoSays(store) {
    return store.drawing.source === "example" ? "The data say" : "You say";
}

function valueText(network, value) {
    return hasProbabilities(network) ? percent(value) : shown(value);
}

/** The bars: one row an output, made once a network, painted by `paint`. */
class Bars {
    constructor(walkable) {
        this.node = element("ol", { class: "bars" });
        this.oneStop = walkable ? roving(this.node, "li", () => 1) : () => {};
        this.network = null;
        this.rows = [];
    }

    build(network) {
        this.network = network;
        this.rows = Array.from({ length: network.sizes.at(-1) }, (_, index) => {
            const bar = element("span", { class: "bar" });
            const value = element("span", { class: "value" }, "–");
            const row = element("li", { "data-neuron": index }, element("span", { class: "name" }, nameOf(network, index)),
                element("span", { class: "track", "aria-hidden": "true" }, bar), value);
            return { row, bar, value };
        });
        this.node.replaceChildren(...this.rows.map(({ row }) => row));
        this.oneStop();
    }

    paint(store) {
        const { network } = store;
        const outputs = answers(store);
        if (network !== this.network) {
            this.build(network);
        }
        const reach = hasProbabilities(network) || !outputs ? 1 : Math.max(1e-12, ...outputs.map(Math.abs));
        this.rows.forEach(({ row, bar, value }, index) => {
            const output = outputs ? outputs[index] : 0;
            bar.style.transform = `scaleX(${Math.abs(output) / reach})`;
            bar.classList.toggle("below", output < 0);
            value.textContent = outputs ? valueText(network, output) : "–";
            row.classList.toggle("most", outputs !== null && network.task === "classes" && index === store.answer);
        });
    }
}

/**
 * The answer and the bars, kept up to date while `panel` is open. `speak`: whether screen readers hear of it, too;
 * `walkable`: whether the focus can walk from bar to bar.
 */
export function makeAnswers(panel, store, { speak = false, walkable = false } = {}) {
    const bars = new Bars(walkable);
    const digit = element("span", { class: "digit" });
    const beside = element("span", { class: "beside" });
    const headline = element("p", { class: "headline" }, digit, beside);
    const node = element("div", { class: "answers" }, headline, bars.node);
    repaintOn(store, panel, ["trace", "label", "stages"], () => {
        const { network, outputs, label } = store;
        if (!network) {
            return;
        }
        bars.paint(store);
        const named = outputs && network.task === "classes";
        headline.hidden = outputs !== null && !named; // the bars say it all
        digit.textContent = named ? nameOf(network, store.answer) : "?";
        const verdict = label === store.answer ? "✓" : "✗";
        const told = label === null ? "" : ` · ${whoSays(store).toLowerCase()} ${nameOf(network, label)} ${verdict}`;
        beside.textContent = named ? `${valueText(network, outputs[store.answer])}${told}` : sentence(store);
        if (speak) {
            announce(sentence(store));
        }
    });
    return node;
}
