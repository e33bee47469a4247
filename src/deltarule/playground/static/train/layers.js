// The layers of a network that learns: pictures of the first one's weights, and how each layer does.

import { lengthOf } from "../engine/training.js";
import { color, element, paintWords, percent, shown, signedWords, tableHead, tableRow, wordOf } from "../shared/widgets.js";

const GAP = 1;
const [WIDE, NARROW] = [16, 8]; // pictures in a row
const MOST_NEURONS = 64; // are drawn
const FULL_COLOR = 3; // times the typical size of a weight
const MANY = { dead: 0.25, saturated: 0.5 }; // as `deltarule check` counts it

/** The first layer's weights, one picture a neuron, on one canvas. */
export class WeightPictures {
    constructor() {
        this.canvas = element("canvas", { role: "img", class: "pixels weights" });
        this.caption = element("p", { class: "small muted" });
        this.node = element("section", { class: "pictured", hidden: true }, element("h2", {}, "First-layer weights"), this.canvas, this.caption);
    }

    paint({ sizes: [inputs, neurons], weights: [W], imageShape }) {
        if ((this.node.hidden = !imageShape)) {
            return;
        }
        const [height, width] = imageShape;
        const count = Math.min(MOST_NEURONS, neurons);
        const columns = Math.min(count, window.matchMedia("(max-width: 600px)").matches ? NARROW : WIDE);
        const [full, high] = [columns * (width + GAP) + GAP, Math.ceil(count / columns) * (height + GAP) + GAP];
        Object.assign(this.canvas, { width: full, height: high });
        this.canvas.style.maxWidth = `${Math.min(1100, full * Math.max(2, Math.round(40 / width)))}px`;
        const scale = FULL_COLOR * lengthOf(W) / Math.sqrt(W.length);
        const wordFor = signedWords(scale);
        paintWords(this.canvas, (words) => {
            words.fill(wordOf(color("--paper")));
            for (let at = 0; at < count * inputs; at += 1) {
                const [neuron, place] = [Math.floor(at / inputs), at % inputs];
                const row = GAP + Math.floor(neuron / columns) * (height + GAP) + Math.floor(place / width);
                words[row * full + GAP + (neuron % columns) * (width + GAP) + (place % width)] = wordFor(W[place * neurons + neuron]);
            }
        });
        const which = count < neurons ? `the first ${count} of ${neurons} neurons` : `all ${neurons} neurons`;
        this.caption.textContent = `${which[0].toUpperCase()}${which.slice(1)}; full color means a weight of ±${shown(scale)} or more.`;
        this.canvas.setAttribute("aria-label", `First-layer weights as pictures, ${which}; the largest are about ±${shown(scale)}`);
    }
}

/** A table with a row per layer: neurons, gradient, and the share of them that is dead or saturated. */
export class LayerTable {
    constructor() {
        this.body = element("tbody");
        this.node = element("table", { class: "layers" },
            element("caption", { class: "unseen" }, "How each layer does"),
            tableHead("Layer", "Neurons", "Gradient norm", "Dead or saturated"),
            this.body);
    }

    paint(layers) {
        const largest = Math.max(...layers.map(({ gradient }) => gradient ?? 0), 1e-12);
        this.body.replaceChildren(...layers.map(({ neurons, activation, gradient, dead, saturated }, index) => {
            const size = meter(gradient > 0 ? Math.max(0.02, 1 + Math.log10(gradient / largest) / 4) : 0); // four decades
            const [kind, share] = dead !== null ? ["dead", dead] : ["saturated", saturated];
            const isMany = share !== null && share >= MANY[kind];
            const idle = share === null ? ["–"] : [meter(share, isMany), `${percent(share)} ${kind}${isMany ? " – many" : ""}`];
            return tableRow(String(index), `${neurons} ${activation}`, [size, gradient === null ? "not finite" : shown(gradient)], idle);
        }));
    }

    /** The same in a sentence. */
    static sentence(layers) {
        return layers.map(({ gradient, dead, saturated }, index) => {
            const idle = dead !== null ? `, ${percent(dead)} dead` : saturated !== null ? `, ${percent(saturated)} saturated` : "";
            return `Layer ${index}: gradient ${gradient === null ? "not finite" : shown(gradient)}${idle}.`;
        }).join(" ");
    }
}

/** A bar, `share` of it full. */
function meter(share, isMany = false) {
    const bar = element("span", { class: isMany ? "meter many" : "meter", "aria-hidden": "true" }, element("span"));
    bar.firstChild.style.transform = `scaleX(${Math.max(0, Math.min(1, share))})`;
    return bar;
}
