// The example of the Backprop tab: your drawing with a label, or one of the practice networks.

import { small } from "../engine/network.js";
import { largest } from "../mistakes/mind.js";
import { readsDrawings } from "../shared/store.js";
import { button, element, numberField } from "../shared/widgets.js";

const OWN = "own";

/** The choice of an example, its label and the rate of the update. */
export class Source {
    /** @param {() => void} onChange another example, label or rate */
    constructor(store, onChange) {
        Object.assign(this, { store, onChange });
        this.chosen = null; // by a person, while the tab is open: OWN or the id of a practice network
        this.own = null; // { network, x, drawing }, which come back once the tab is left
        this.rate = 0.5;
        this.values = []; // targets of a network that answers no class, to be changed by hand
        this.buttons = [OWN, ...practices().map(({ id }) => id)].map((id) =>
            button(id.replaceAll("-", " – "), () => this.choose(id), { "data-source": id }));
        this.targets = element("span", { class: "row" });
        const rateField = numberField((value) => {
            this.rate = Math.max(0.001, Math.min(10, value));
            rateField.value = String(this.rate);
            this.onChange();
        }, { min: "0.001", max: "10", value: "0.5" });
        this.says = element("p", { class: "muted" });
        const rate = element("label", { class: "row bp-rate" }, "learning rate r", rateField);
        const choice = element("span", { class: "row", role: "group", "aria-label": "Which network" }, ...this.buttons);
        this.root = element("div", { class: "row bp-source" }, choice, this.targets, rate);
        store.addEventListener("change", ({ keys }) => (keys.has("tab") || keys.has("network")) && this.follow(keys));
    }

    choose(id) {
        this.chosen = id;
        this.follow(new Set());
        this.onChange();
    }

    /** Puts a practice network on the stage while the tab is open, and takes it away: drawings come back as they were. */
    follow(keys) {
        const { store, own } = this;
        const { network, x, drawing, tab } = store;
        if (keys.has("network") && own && !network.practice) { // one that has just been trained, or read
            Object.assign(this, { own: null, chosen: OWN });
            store.set(own.network.sizes[0] === network.sizes[0] ? { x: own.x, drawing: own.drawing } : {});
            return;
        }
        this.chosen = tab === "backprop" ? this.chosen : null;
        const isBlank = readsDrawings(own?.network ?? network) && drawing.strokes.length === 0 && drawing.picture === null;
        const wanted = tab === "backprop" ? this.chosen ?? (isBlank ? "2-3-2" : OWN) : OWN;
        const practice = practices().find(({ id }) => id === wanted);
        if (practice && network.practice !== wanted) {
            this.own ??= { network, x, drawing };
            store.set({ network: practice.network, x: practice.x, drawing: { ...drawing, label: typeof practice.y === "number" ? practice.y : [...practice.y] } });
        } else if (!practice && own) {
            this.own = null;
            store.set(own);
        }
    }

    /** @returns {{network: object, x: Float64Array, y: number | Float64Array} | null} null if nothing is drawn */
    example() {
        const { network, x } = this.store;
        return network && x ? { network, x, y: this.target(network) } : null;
    }

    /** The class that somebody has named, or the values, where the network has such outputs; else null. */
    label() {
        const { label, network } = this.store;
        return Array.isArray(label) || (label !== null && label < network.classNames.length) ? label : null;
    }

    target(network) {
        const { answer, outputs } = this.store;
        const label = this.label();
        if (network.task === "classes") { // a mistake teaches: without a label, the second-best answer
            return label ?? Math.max(largest(outputs, answer), 0);
        }
        const seen = JSON.stringify([label, this.store.structure]);
        if (this.valuesFor !== seen) {
            this.valuesFor = seen;
            this.values = Array.isArray(label) ? [...label] : [...outputs].map((_, j) => Number(network.task === "labels" && j === (label ?? answer)));
        }
        const scaling = network.targetScaling;
        return scaling ? this.values.map((each, j) => (each - scaling.mean[j]) / scaling.scale[j]) : Float64Array.from(this.values);
    }

    /** Shows what is chosen. */
    update() {
        const { network } = this.store;
        const practice = practices().find(({ id }) => id === network?.practice);
        const chosen = practice?.id ?? OWN;
        this.buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.source === chosen)));
        this.buttons[0].textContent = (this.own?.network ?? network)?.imageShape ? "Your drawing" : "Your input";
        const example = this.example();
        this.targets.hidden = example === null;
        this.says.textContent = practice?.says ?? (example ? this.ownSays(example) : "Draw a digit on the left: the walk starts from it.");
        if (example) {
            this.showTargets(example);
        }
    }

    ownSays({ network, y }) {
        const { answer } = this.store;
        const label = this.label();
        if (network.task !== "classes") {
            return "Set the targets of the outputs; the walk shows in which direction each weight would have to change.";
        }
        const name = network.classNames[answer];
        if (label === null) {
            return `The network says ${name}. If ${network.classNames[y]}, its second choice, were right, it would learn this.`;
        }
        return label === answer ? `The network says ${name}, and that is right.` : `The network says ${name}. That is wrong, and this is how it would learn from it.`;
    }

    showTargets({ network, y }) {
        const isClass = network.task === "classes";
        const key = `${isClass}:${network.classNames.join("|")}`;
        if (this.targetsFor !== key) {
            this.targetsFor = key;
            this.targets.replaceChildren(...(isClass ? this.classFields(network) : this.valueFields(network)));
        }
        this.fields.forEach((field, j) => {
            if (field !== document.activeElement) {
                field.value = String(isClass ? y : this.values[j]);
            }
        });
    }

    classFields(network) {
        const options = network.classNames.map((name, j) => element("option", { value: String(j) }, name));
        const select = element("select", { onchange: () => this.store.set({ label: Number(select.value) }) }, ...options);
        this.fields = [select];
        return [element("label", { class: "row" }, "it is a", select)];
    }

    valueFields(network) {
        this.fields = network.classNames.map((_, j) => numberField((value) => {
            this.values[j] = value;
            this.onChange();
        }));
        return network.classNames.map((name, j) => element("label", { class: "row" }, `${name} should be`, this.fields[j]));
    }
}

/** Two networks small enough to work through on paper, { id, says, network, x, y }; the id is their sizes. */
export function practices() {
    const made = [
        {
            id: "2-3-2",
            says: "Two inputs, three sigmoid neurons, a softmax over two classes; the right one is 0. Every sum has four terms at most.",
            network: small([2, 3, 2], "sigmoid", "softmax", "cross_entropy", "classes",
                [[0.5, -1, 0.8, 1.2, 0.4, -0.6], [1, -0.5, -0.7, 0.9, 0.3, 0.6]], [[0.1, 0, -0.2], [0, 0.1]]),
            x: Float64Array.of(1, 0.5), y: 0,
        },
        {
            id: "1-1-1-1",
            says: "A chain of three sigmoid neurons with input 1, target 1 and half the squared error as loss. No sums: the chain rule, link by link.",
            network: small([1, 1, 1, 1], "sigmoid", "sigmoid", "quadratic", "values", [[0.6], [-1.2], [0.9]], [[0.2], [0.5], [-0.4]]),
            x: Float64Array.of(1), y: Float64Array.of(1),
        },
    ];
    return made.map((each) => ({ ...each, network: { ...each.network, practice: each.id } }));
}
