// The layers of a network that learns: pictures of the first one's weights, and how each layer does.

import { color, diverging, element, paintWords, percent, shown, tableRow, wordOf } from "../widgets.js";

const GAP = 1;
const WIDE = 16; // pictures in a row
const NARROW = 8;
const MANY = { dead: 0.25, saturated: 0.5 }; // as `deltarule check` counts it

/** How many of `count` pictures stand in a row of at most `most`: twice as many as rows, and no row is left unfilled if possible. */
export function columnsFor(count, most) {
    const fewest = Math.min(count, most, Math.ceil(Math.sqrt(2 * count)));
    for (let columns = fewest; columns <= Math.min(count, most); columns += 1) {
        if (count % columns === 0) {
            return columns;
        }
    }
    return fewest;
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
        this.node.hidden = count === 0;
        if (count === 0) {
            return;
        }
        const columns = columnsFor(count, window.matchMedia("(max-width: 600px)").matches ? NARROW : WIDE);
        const rows = Math.ceil(count / columns);
        const [full, high] = [columns * (width + GAP) + GAP, rows * (height + GAP) + GAP];
        if (this.canvas.width !== full || this.canvas.height !== high) {
            Object.assign(this.canvas, { width: full, height: high });
            this.canvas.style.maxWidth = `${Math.min(1100, full * Math.max(2, Math.round(40 / width)))}px`;
        }
        const inks = Uint32Array.from({ length: 255 }, (_, index) => wordOf(diverging(index - 127, 127)));
        paintWords(this.canvas, (words) => {
            words.fill(wordOf(color("--paper")));
            for (let neuron = 0, at = 0; neuron < count; neuron += 1) {
                const left = GAP + (neuron % columns) * (width + GAP);
                const top = GAP + Math.floor(neuron / columns) * (height + GAP);
                for (let row = 0; row < height; row += 1) {
                    for (let column = 0; column < width; column += 1, at += 1) {
                        words[(top + row) * full + left + column] = inks[data[at] + 127];
                    }
                }
            }
        });
        const which = count < neurons ? `the first ${count} of ${neurons} neurons` : `all ${neurons} neurons`;
        this.caption.textContent = `${which[0].toUpperCase()}${which.slice(1)}; full color is a weight of ±${shown(scale)} or more.`;
        this.canvas.setAttribute("aria-label", `First-layer weights as pictures, ${which}; the largest are about ±${shown(scale)}`);
    }
}

/** A table with a row a layer: neurons, gradient, and the share of them that is dead or saturated. */
export class LayerTable {
    constructor() {
        this.body = element("tbody");
        this.rows = [];
        this.node = element("table", { class: "layers" },
            element("caption", { class: "unseen" }, "How each layer does"),
            element("thead", {}, element("tr", {}, ...["Layer", "Neurons", "Gradient norm", "Dead or saturated"].map((name) =>
                element("th", { scope: "col" }, name)))),
            this.body);
    }

    build(layers) {
        this.rows = layers.map(({ neurons, activation }, index) => {
            const [gradient, gradientBar, share, shareBar] = [element("span"), bar(), element("span"), bar()];
            const node = tableRow(String(index), `${neurons} ${activation}`, [gradientBar, gradient], [shareBar, share]);
            return { node, gradient, gradientBar, share, shareBar };
        });
        this.body.replaceChildren(...this.rows.map(({ node }) => node));
    }

    paint(layers) {
        const network = layers.map(({ neurons, activation }) => `${neurons} ${activation}`).join();
        if (network !== this.network) {
            this.network = network;
            this.build(layers);
        }
        const largest = Math.max(...layers.map(({ gradient }) => gradient ?? 0), 1e-12);
        layers.forEach(({ gradient, dead, saturated }, index) => {
            const row = this.rows[index];
            row.gradient.textContent = gradient === null ? "not finite" : shown(gradient);
            fill(row.gradientBar, gradient > 0 ? Math.max(0.02, 1 + Math.log10(gradient / largest) / 4) : 0); // four decades
            const [kind, share] = dead !== null ? ["dead", dead] : ["saturated", saturated];
            row.share.textContent = share === null ? "–" : `${percent(share)} ${kind}${share >= MANY[kind] ? " – many" : ""}`;
            row.shareBar.hidden = share === null;
            row.shareBar.classList.toggle("many", share !== null && share >= MANY[kind]);
            fill(row.shareBar, share ?? 0);
        });
    }

    /** The same in a sentence. */
    static sentence(layers) {
        return layers.map(({ gradient, dead, saturated }, index) => {
            const idle = dead !== null ? `, ${percent(dead)} dead` : saturated !== null ? `, ${percent(saturated)} saturated` : "";
            return `Layer ${index}: gradient ${gradient === null ? "not finite" : shown(gradient)}${idle}.`;
        }).join(" ");
    }
}

function bar() {
    return element("span", { class: "meter", "aria-hidden": "true" }, element("span"));
}

function fill(meter, share) {
    meter.firstChild.style.transform = `scaleX(${Math.max(0, Math.min(1, share))})`;
}
