// Which example the Backprop tab walks through: your drawing with a label, or one of the networks to learn with.

import { small } from "../engine/network.js";
import { button, element, numberField } from "../shared/widgets.js";

const OWN = "own";

/** The choice of an example, its label and the rate of the update. */
export class Source {
    /** @param {() => void} onChange another example, label or rate */
    constructor(store, onChange) {
        this.store = store;
        this.onChange = onChange;
        this.practices = practices();
        this.chosen = OWN;
        this.rate = 0.5;
        this.values = []; // targets of a network that answers no class, to be changed by hand
        this.buttons = [{ id: OWN, title: "Your drawing" }, ...this.practices].map(({ id, title }) =>
            button(title, () => this.choose(id), { "data-source": id }),
        );
        this.targets = element("span", { class: "row" });
        this.rateInput = element("input", { type: "number", min: "0.001", max: "10", step: "any", value: "0.5", onchange: () => this.takeRate() });
        this.says = element("p", { class: "muted" });
        const rate = element("label", { class: "row bp-rate" }, "learning rate r", this.rateInput);
        const choice = element("span", { class: "row", role: "group", "aria-label": "Which network" }, ...this.buttons);
        this.root = element("div", { class: "bp-source" }, element("div", { class: "row" }, choice, this.targets, rate), this.says);
    }

    choose(id) {
        this.chosen = id;
        this.onChange();
    }

    takeRate() {
        const rate = Number(this.rateInput.value);
        this.rate = rate > 0 && rate <= 10 ? rate : this.rate;
        this.rateInput.value = String(this.rate);
        this.onChange();
    }

    /** A number that is given, changed by hand: of a practice network's W, b or x. */
    change(kind, l, index, value) {
        const { network, x } = this.practice();
        ({ W: network.weights[l - 1], b: network.biases[l - 1], x })[kind][index] = value;
        this.onChange();
    }

    practice() {
        return this.practices.find(({ id }) => id === this.chosen) ?? null;
    }

    /** @returns {{network: object, x: Float64Array, y: number | Float64Array} | null} null where nothing is drawn */
    example() {
        const { network, x } = this.store;
        return this.practice() ?? (network && x ? { network, x, y: this.target(network) } : null);
    }

    /** The class that somebody has named, or the values, where the network has such outputs; else null. */
    label() {
        const { label, network } = this.store;
        return Array.isArray(label) || (label !== null && label < network.classNames.length) ? label : null;
    }

    target(network) {
        const { answer, outputs } = this.store;
        const label = this.label();
        if (network.task === "classes") {
            return label ?? answer;
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
        const practice = this.practice();
        this.buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.source === this.chosen)));
        this.buttons[0].textContent = this.store.network?.imageShape ? "Your drawing" : "Your input";
        const example = this.example();
        this.targets.hidden = practice !== null || example === null;
        this.says.textContent = practice ? practice.says : example ? this.ownSays(example) : "";
        if (!this.targets.hidden) {
            this.showTargets(example);
        }
    }

    ownSays({ network }) {
        const { answer } = this.store;
        const label = this.label();
        if (network.task !== "classes") {
            return "Say what the outputs should be; the walk shows which way each weight would have to go.";
        }
        const name = network.classNames[answer];
        if (label === null) {
            return `Nobody has said what it is: taken for what the network says, ${name}. Choose another answer and see what it would have to learn.`;
        }
        return label === answer ? `The network says ${name}, and that is right.` : `The network says ${name}: wrong, and here is what it would learn from it.`;
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

/** Two networks small enough to work through on paper, { id, title, says, network, x, y }: made anew, so that their numbers may be changed. */
export function practices() {
    return [
        {
            id: "2-3-2",
            title: "2 – 3 – 2",
            says: "Two numbers in, three sigmoid neurons, a softmax over two answers; the right one is 0. Every sum has four terms at most.",
            network: small([2, 3, 2], "sigmoid", "softmax", "cross_entropy", "classes",
                [[0.5, -1, 0.8, 1.2, 0.4, -0.6], [1, -0.5, -0.7, 0.9, 0.3, 0.6]], [[0.1, 0, -0.2], [0, 0.1]]),
            x: Float64Array.of(1, 0.5),
            y: 0,
        },
        {
            id: "1-1-1-1",
            title: "1 – 1 – 1 – 1",
            says: "A chain of three sigmoid neurons that should answer 1 to 1, and loses half the squared error. No sums at all: the chain rule, link by link.",
            network: small([1, 1, 1, 1], "sigmoid", "sigmoid", "quadratic", "values", [[0.6], [-1.2], [0.9]], [[0.2], [0.5], [-0.4]]),
            x: Float64Array.of(1),
            y: Float64Array.of(1),
        },
    ];
}
