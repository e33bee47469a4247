// The outputs as bars, the answer in a word, and the sentence that a screen reader says.

import { unusual } from "../engine/network.js";
import { readsDrawings } from "../shared/store.js";
import { announce, button, element, percent, repaintOn, roving, shown } from "../shared/widgets.js";
import { ticks } from "../train/curves.js";

/** Whether the outputs of a network are probabilities: a softmax's, or a single sigmoid's. */
export function hasProbabilities(network) {
    return network.output === "softmax" || (network.output === "sigmoid" && network.sizes.at(-1) === 1);
}

/** What an example of a network is called. */
export const wordFor = (network) => (network.imageShape ? "image" : "example");

/** The name of output `index` for people. */
export const nameOf = (network, index) => network.classNames?.[index] ?? String(index);

/** The outputs for people, in the targets' own units if those were standardized; null if there are none. */
function answers({ network, outputs }) {
    const scaling = network.targetScaling;
    return outputs && scaling ? outputs.map((each, index) => each * scaling.scale[index] + scaling.mean[index]) : outputs;
}

/** What the network makes of the input, as one sentence. */
export function sentence(store) {
    const { network } = store;
    const outputs = answers(store);
    if (!outputs) {
        const isDrawn = store.drawing.strokes.length > 0 || store.drawing.picture;
        return !readsDrawings(network) ? "Nothing given yet." : isDrawn ? "No digit found." : "Draw a digit.";
    }
    if (network.task !== "classes") {
        const wanted = store.label === null ? "" : `. ${whoSays(store)} ${listed(network, store.label)}.`;
        return listed(network, outputs) + wanted;
    }
    const order = [...outputs.keys()].sort((one, other) => outputs[other] - outputs[one]);
    const said = (index) => `${nameOf(network, index)}, ${valueText(network, outputs[index])}`;
    const next = order.length > 1 ? `; next ${said(order[1])}` : "";
    const label = store.label === null ? "" : ` ${whoSays(store)} ${nameOf(network, store.label)}.`;
    return `Reads ${said(order[0])}${next}.${label} ${doubts(store)}`.trim();
}

/** A doubt about the answer, as a sentence; empty if nothing does. */
function doubts(store) {
    const share = store.trace ? unusual(store.network, store.trace) : 0;
    const strange = share >= 0.5 ? `Unusual (${percent(share)}): unlike what the network learned.` : "";
    return store.trace && store.showsSeveral ? "This looks like several digits: draw one at a time." : strange;
}

/** Values with the names of their outputs. */
function listed(network, values) {
    const named = (value, index) => `${values.length > 1 || nameOf(network, index) !== "0" ? `${nameOf(network, index)}: ` : ""}${shown(value)}`;
    return [...values].map(named).join(", ");
}

/** The source of the label: the data, or the person at the page. */
const whoSays = (store) => (store.drawing.source === "example" ? "The data say" : "You say");

/** An output for people: a probability in percent. */
export const valueText = (network, value) => (hasProbabilities(network) ? percent(value) : shown(value));

/** Whether an output is a share of the way from 0 to 1. */
const isShare = (network) => ["softmax", "sigmoid"].includes(network.output) && !network.targetScaling;

/** The bars: one row per output, made by `build`, painted by `paint`; beneath them the axis, if it needs one. */
class Bars {
    constructor() {
        this.list = element("ol", { class: "bars" });
        this.ends = element("p", { class: "bars axis small muted", "aria-hidden": "true" });
        this.alone = element("p", { class: "small muted" }, "Each output has its own sigmoid, from 0 to 1: they need not add up to 1.");
        this.node = element("div", {}, this.list, this.ends, this.alone);
        this.oneStop = roving(this.list, "li", () => 1);
    }

    /** Makes the rows; of numbers that have no bounds, the axis begins with what targets are usual. */
    build({ network }) {
        const usual = network.targetScaling ? [...network.targetScaling.mean].flatMap((mean, index) =>
            [mean - 2 * network.targetScaling.scale[index], mean + 2 * network.targetScaling.scale[index]]) : [];
        this.axis = isShare(network) ? [0, 1] : [0, 0];
        this.reach(usual);
        this.ends.hidden = hasProbabilities(network);
        this.alone.hidden = !isShare(network) || hasProbabilities(network);
        this.rows = Array.from({ length: network.sizes.at(-1) }, (_, index) => {
            const bar = element("span", { class: "bar" });
            const value = element("span", { class: "value" }, "–");
            const row = element("li", { "data-neuron": index, class: network.isWorld ? nameOf(network, index) : "" }, element("span", { class: "name" }, nameOf(network, index)),
                element("span", { class: "track", "aria-hidden": "true" }, bar), value);
            return { row, bar, value };
        });
        this.list.replaceChildren(...this.rows.map(({ row }) => row));
        this.oneStop();
    }

    /** The ends of the axis, round numbers: it grows with what it has to show, and never shrinks. */
    reach(values) {
        const [least, most] = [Math.min(this.axis[0], ...values), Math.max(this.axis[1], ...values)];
        if (least < this.axis[0] || most > this.axis[1]) {
            const step = ticks(0, Math.max(most - least, 1e-12), 5)[1];
            this.axis = [Math.floor(least / step - 1e-9) * step, Math.ceil(most / step + 1e-9) * step];
        }
        return this.axis[1] > this.axis[0] ? this.axis : [0, 1];
    }

    paint(store) {
        const { network } = store;
        const outputs = answers(store);
        const [low, high] = this.reach([...outputs ?? []].filter(Number.isFinite));
        const place = (value) => Math.max(0, Math.min(1, (value - low) / (high - low)));
        this.ends.replaceChildren(element("span", {}, shown(low)), element("span", {}, shown(high)));
        this.rows.forEach(({ row, bar, value }, index) => {
            const output = outputs ? outputs[index] : 0;
            const [from, to] = [place(Math.min(output, 0)), place(Math.max(output, 0))];
            bar.style.transform = `translateX(${100 * from}%) scaleX(${to - from || 0})`;
            bar.classList.toggle("below", output < 0);
            value.textContent = outputs ? valueText(network, output) : "–";
            row.classList.toggle("most", outputs !== null && network.task === "classes" && index === store.answer);
        });
    }
}

/** The answer and the bars, kept up to date; screen readers hear the answer while Draw is open. */
export function makeAnswers(panel, store) {
    const bars = new Bars();
    bars.build(store); // at once, for lines lead there
    const digit = element("span", { class: "digit" });
    const beside = element("span", { class: "small muted" });
    const headline = element("p", { class: "headline" }, digit, beside);
    const doubt = element("p", { class: "complaint" });
    const undo = button("Undo changes", () => store.set({ network: store.network.was ?? store.network, noise: new Map() }));
    const changed = element("p", { class: "small changed" }, "Network changed. ", undo);
    const node = element("div", { class: "answers" }, headline, bars.node, doubt, changed);
    repaintOn(store, panel, ["trace", "label", "stages", "waits"], () => {
        const { network, label, waits } = store;
        const outputs = waits ? null : store.outputs;
        if (!node.isConnected) { // the stage has another network's
            return;
        }
        bars.paint(waits ? { network, outputs } : store);
        doubt.textContent = waits ? "" : doubts(store);
        changed.hidden = !network.was && store.noise.size === 0;
        const named = outputs && network.task === "classes";
        headline.hidden = outputs !== null && !named && label === null; // the bars say it all
        digit.hidden = outputs !== null && !named;
        digit.textContent = named ? nameOf(network, store.answer) : waits ? "…" : "?";
        digit.classList.toggle("word", digit.textContent.length > 2);
        const verdict = label === store.answer ? "✓" : "✗";
        const told = label === null || !named ? "" : ` · ${whoSays(store).toLowerCase()} ${nameOf(network, label)} ${verdict}`;
        const wanted = () => (outputs && label !== null ? `${whoSays(store)} ${listed(network, label)}` : sentence(store));
        beside.textContent = waits || (named ? `${valueText(network, outputs[store.answer])}${told}` : wanted());
        if (store.tab === "draw") {
            announce(sentence(store));
        }
    });
    return node;
}
