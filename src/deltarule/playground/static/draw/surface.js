// The loss of a network of two parameters as a surface, w across and b up, and the path that training has taken on it.

import { COSTS } from "../backprop/sums.js";
import { activations } from "../engine/network.js";
import { color, element, farthest, mixed, paintWords, repaintOn, rgb, shown, wordOf } from "../shared/widgets.js";
import { worldOf } from "../train/worlds.js";

const SIDE = 64; // of the grid of places at which the loss is computed
const SIZE = 480; // of the picture
const [NEAREST, FARTHEST] = [4, 1e6]; // the surface ends there: at a power of 2 times the nearest that the path stays within
const LEVELS = 14; // of its color: their edges are contours

/** The mean loss on points of networks like this one, with a weight and a bias each. */
export function lossesAt(network, points, weights, biases) {
    const rows = points.map(worldOf(network.task === "labels" ? "cute-dog" : "curve").row);
    const [count, [, cost]] = [weights.length, COSTS[network.loss]];
    const layer = { ...network, sizes: [1, count], weights: [weights], biases: [biases] }; // all of them as neurons of one layer
    const losses = new Float64Array(count);
    activations(layer, Float64Array.from(rows, ([x]) => x))[0].forEach((a, at) => (losses[at % count] += cost(a, rows[Math.floor(at / count)][1]) / rows.length));
    return losses;
}

/** The picture for networks of one input and one neuron. */
export function makeSurface(panel, store) {
    const canvas = element("canvas", { width: SIZE, height: SIZE, class: "pad surface", role: "img" });
    const [small, caption] = [element("canvas", { width: SIDE, height: SIDE }), element("p", { class: "small muted" })];
    let seen = "";
    const paintLosses = (network, points, reach) => {
        const place = (index) => reach * (2 * (index + 0.5) / SIDE - 1);
        const along = (placeOf) => Float64Array.from({ length: SIDE * SIDE }, (_, at) => placeOf(at));
        const losses = lossesAt(network, points, along((at) => place(at % SIDE)), along((at) => -place(Math.floor(at / SIDE)))).map((loss) => Math.log(loss + 1e-9));
        const [low, high] = [Math.min(...losses), Math.max(...losses)];
        const inks = Array.from({ length: LEVELS }, (_, level) => wordOf(mixed(color("--paper"), color("--accent"), 0.9 * level / LEVELS)));
        paintWords(small, (words) => words.forEach((_, at) => (words[at] = inks[Math.min(LEVELS - 1, Math.floor(LEVELS * (losses[at] - low) / (high - low || 1)))])));
    };
    repaintOn(store, panel, ["network", "world", "tab"], () => {
        const { network, world } = store;
        if (!canvas.isConnected || !world?.train || network.weights[0].length > 1) {
            return;
        }
        const [[w], [b]] = [network.weights[0], network.biases[0]];
        const path = [...network.path ?? [], [w, b]];
        const reach = Math.min(FARTHEST, NEAREST * 2 ** Math.max(0, Math.ceil(Math.log2(farthest(path.flat()) / NEAREST))));
        const points = world.points.slice(0, world.train);
        const looks = [points.flat(), network.loss, reach, color("--paper")].join();
        if (seen !== looks) {
            seen = looks;
            paintLosses(network, points, reach);
        }
        const context = canvas.getContext("2d");
        const at = ([across, up]) => [(across / reach + 1) * SIZE / 2, (1 - up / reach) * SIZE / 2];
        context.drawImage(small, 0, 0, SIZE, SIZE);
        Object.assign(context, { strokeStyle: rgb(color("--ink")), fillStyle: rgb(color("--negative")), lineWidth: 4 });
        context.beginPath();
        path.forEach((each) => context.lineTo(...at(each)));
        context.stroke();
        context.beginPath();
        context.arc(...at([w, b]), 9, 0, 2 * Math.PI);
        context.fill();
        const [loss] = lossesAt(network, points, network.weights[0], network.biases[0]);
        caption.textContent = `w ${shown(w)} across, b ${shown(b)} up, each from ${shown(-reach)} to ${shown(reach)}: loss ${shown(loss)}. Blue is high.`;
        canvas.setAttribute("aria-label", `The loss over w and b. ${caption.textContent} Points of its path: ${path.length - 1}.`);
    });
    return element("div", { class: "world" }, canvas, caption);
}
