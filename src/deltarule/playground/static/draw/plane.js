// The input of a world of two numbers: points on a plane, in front of the network's answers; and, in the cells of
// the same panel, the activations of every neuron on that plane.

import { activations } from "../engine/network.js";
import { announce, button, color, element, farthest, paintSigned, repaintOn, rgb, shareOf, shown } from "../shared/widgets.js";
import { COLORS, REACH, snapped } from "../train/worlds.js";

const SIZE = 600; // of the picture
const SIDE = 48; // of the grid of points at which activations are computed; less if a network is large,
const WORK = 4e7; // products that all points of the grid may take
const PALE = 1.7; // the answer stays below full color, which is the points'
const KEYS = "A click adds a point. So does Space, after the arrow keys; Backspace removes the last.";
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 1], ArrowDown: [1, -1] };

const seen = {}; // network: the last one, side: of the grid, layers: its activations there

/** The activations of all neurons of a network on the plane, row by row from the top. */
function look(network) {
    if (seen.network !== network) {
        const side = Math.max(12, Math.min(SIDE, Math.floor(Math.sqrt(WORK / network.weights.reduce((sum, each) => sum + each.length, 0)))));
        const place = (index) => REACH * (2 * (index + 0.5) / side - 1);
        const grid = Array.from({ length: side * side }, (_, at) => [place(at % side), -place(Math.floor(at / side))]);
        Object.assign(seen, { network, side, layers: activations(network, Float64Array.from(grid.flat())) });
    }
    return seen;
}

/** Paints on a canvas a hidden neuron's activation on the plane (layers are counted from 1), a sigmoid's middle pale; or the answer. */
function paintPlane(canvas, network, layer = network.sizes.length - 1, neuron = null) {
    const { side, layers } = look(network);
    const [values, size] = [layers[layer - 1], network.sizes[layer]];
    const middle = network.hidden[layer - 1] === "sigmoid" ? 0.5 : 0;
    const plane = Float64Array.from({ length: side * side }, (_, at) => (neuron === null ? values[2 * at + 1] - values[2 * at] : values[at * size + neuron] - middle));
    Object.assign(canvas, { width: side, height: side });
    paintSigned(canvas, plane, neuron === null ? PALE : middle || farthest(plane));
}

/** A point: a disk if it is orange, a square if it is blue, hollow if it is held out. */
function paintPoint(context, [x, y], kind, isHollow) {
    const tones = [rgb(color(kind === 1 ? "--positive" : "--negative")), rgb(color("--paper"))];
    context.beginPath();
    kind === 1 ? context.rect(x - 6, y - 6, 12, 12) : context.arc(x, y, 7, 0, 2 * Math.PI);
    [context.fillStyle, context.strokeStyle] = isHollow ? tones.reverse() : tones;
    context.lineWidth = isHollow ? 4 : 2;
    context.fill();
    context.stroke();
}

/** The picture in which points are added to `store.world` and `store.x` is moved, instead of fields for its two numbers. */
export function makePlane(panel, store) {
    const canvas = element("canvas", { width: SIZE, height: SIZE, class: "pad plane", role: "application", tabindex: "0", "aria-roledescription": "plane of points", "aria-describedby": "plane-keys" });
    const small = element("canvas");
    const caption = element("p", { class: "small muted" });
    let [kind, cell] = [1, null];
    const choices = COLORS.map((name, index) => button(name, () => {
        kind = index;
        choices.forEach((each, other) => each.setAttribute("aria-pressed", String(other === index)));
    }, { "aria-pressed": String(index === 1), class: `color ${name}` }));
    const put = (points) => store.set({ world: { points, train: points.length, isOwn: true } });
    const add = (x) => put([...store.world.points, snapped([...x, kind])]);
    const remove = () => put(store.world.points.slice(0, -1));
    const move = (x) => store.network.isPlane && store.set({ x: Float64Array.from(x, (each) => Math.max(-REACH, Math.min(REACH, each))), label: null });
    const at = (event) => shareOf(canvas, event).map((share, axis) => [REACH, -REACH][axis] * (2 * share - 1));
    canvas.addEventListener("pointermove", (event) => move(at(event)));
    canvas.addEventListener("click", (event) => add(at(event)));
    canvas.addEventListener("keydown", (event) => {
        const x = [...store.x ?? [0, 0]];
        const [along, by] = ARROWS[event.key] ?? [];
        if (by) {
            x[along] += by * REACH / 26;
            move(x);
            announce(canvas.getAttribute("aria-label"));
        } else if ([" ", "Backspace"].includes(event.key)) {
            event.key === " " ? add(x) : remove();
        }
        if (by || event.key === " ") {
            event.preventDefault();
        }
    });
    const repaint = repaintOn(store, panel, ["network", "x", "world", "tab"], () => {
        const { network, world, x, outputs, answer } = store;
        if (!network.isPlane || !world || !canvas.isConnected) {
            return;
        }
        panel.querySelectorAll(".cell").forEach((each) => paintPlane(each.firstElementChild ?? each.appendChild(element("canvas")), network, Number(each.dataset.layer), Number(each.dataset.neuron)));
        paintPlane(small, network, ...cell?.isConnected ? [Number(cell.dataset.layer), Number(cell.dataset.neuron)] : []);
        const context = canvas.getContext("2d");
        context.drawImage(small, 0, 0, SIZE, SIZE);
        const place = ([one, other]) => [(one / REACH + 1) * SIZE / 2, (1 - other / REACH) * SIZE / 2];
        world.points.forEach((point, index) => paintPoint(context, place(point), point[2], index >= world.train));
        if (x) {
            Object.assign(context, { lineWidth: 3, strokeStyle: rgb(color("--ink")) });
            context.beginPath();
            context.arc(...place(x), 14, 0, 2 * Math.PI);
            context.stroke();
        }
        caption.textContent = cell ? `${cell.getAttribute("aria-label")}: blue means high, orange means low.` :
            `Pale means that the network is unsure.${world.train < world.points.length ? " Hollow points are held out." : ""}`;
        canvas.setAttribute("aria-label", `${world.points.length} points, ${world.train} of them for training.${x ? ` At ${shown(x[0])}, ${shown(x[1])} the answer is ${COLORS[answer]}, ${shown(outputs[answer])}.` : ""}`);
    });
    const point = ({ type, target }) => {
        const other = ["pointerleave", "focusout"].includes(type) ? null : target.closest?.(".cell");
        if (other !== cell) {
            cell = other;
            repaint();
        }
    };
    ["pointerover", "pointerleave", "focusin", "focusout"].forEach((name) => panel.addEventListener(name, point));
    return element("div", { class: "world" }, canvas, caption,
        element("div", { class: "row", role: "group", "aria-label": "Color of the next point" }, ...choices, button("Undo", remove), button("Clear", () => put([]))),
        element("p", { id: "plane-keys", class: "small muted" }, KEYS));
}
