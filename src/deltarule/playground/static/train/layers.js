// The layers of a network that learns: pictures of the first one's weights, and how each layer does.

import { color, diverging, element, paintWords, percent, shown, tableHead, tableRow, wordOf } from "../shared/widgets.js";

const GAP = 1;
const WIDE = 16; // pictures in a row
const NARROW = 8;
const MANY = { dead: 0.25, saturated: 0.5 }; // as `deltarule check` counts it

/** How many of `count` pictures stand in a row of at most `most`: twice as many as rows, and no row is left unfilled if possible. */
export function columnsFor(count, most) {
    const fewest = Math.min(count, most, Math.ceil(Math.sqrt(2 * count)));
    const possible = Array.from({ length: Math.min(count, most) - fewest + 1 }, (_, more) => fewest + more);
    return possible.find((columns) => count % columns === 0) ?? fewest;
}

/** The first layer's weights, one picture a neuron, on one canvas. */
export class WeightPictures {
    constructor() {
        this.canvas = element("canvas", { role: "img", class: "pixels weights", "aria-label": "First-layer weights: nothing yet" });
        this.caption = element("p", { class: "small muted" });
        this.node = element("div", { class: "pictured" }, this.canvas, this.caption);
    }

    /** weights: {data: Int8Array, shape: [neurons, height, width]}, 127 in full color; scale: that weight. */
    paint({ data, shape: [count, height, width] }, scale, neurons) {
        if ((this.node.hidden = count === 0)) {
            return;
        }
        const columns = columnsFor(count, window.matchMedia("(max-width: 600px)").matches ? NARROW : WIDE);
        const rows = Math.ceil(count / columns);
        const [full, high] = [columns * (width + GAP) + GAP, rows * (height + GAP) + GAP];
        Object.assign(this.canvas, { width: full, height: high });
        this.canvas.style.maxWidth = `${Math.min(1100, full * Math.max(2, Math.round(40 / width)))}px`;
        const inks = Uint32Array.from({ length: 255 }, (_, index) => wordOf(diverging(index - 127, 127)));
        paintWords(this.canvas, (words) => {
            words.fill(wordOf(color("--paper")));
            data.forEach((weight, at) => {
                const neuron = Math.floor(at / (width * height));
                const top = GAP + Math.floor(neuron / columns) * (height + GAP) + (Math.floor(at / width) % height);
                words[top * full + GAP + (neuron % columns) * (width + GAP) + (at % width)] = inks[weight + 127];
            });
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
