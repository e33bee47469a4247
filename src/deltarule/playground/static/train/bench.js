// A lesson in this page: build a network, let it learn here, and compare it with the one before.

import { button } from "../shared/widgets.js";
import { Build } from "./build.js";
import { samplesIn } from "./idx.js";
import { Lesson } from "./panel.js";
import { newNetwork } from "./run.js";
import { hasOneInput, randomOf } from "./worlds.js";

const FRESH = ["hidden", "activation", "loss", "seed", "noise"]; // the settings that show in a new network before it learns

export class Bench extends Lesson {
    constructor(panel, store, trainer) {
        const build = new Build((name) => this.changed(name));
        super(panel, store, trainer, build, button("Reset", () => this.reset()));
        const take = async (files) => {
            if (!panel.hidden && this.node.isConnected && files.length > 0) {
                this.verdict.textContent = "Reading the files …";
                await samplesIn([...files]).then((samples) => this.takeFiles(samples), ({ message }) => (this.verdict.textContent = message));
            }
        };
        build.files.addEventListener("change", () => take(build.files.files));
        window.addEventListener("drop", ({ dataTransfer }) => take(dataTransfer.files));
        store.addEventListener("change", ({ keys }) => {
            if (keys.has("world") && store.world?.isOwn) { // the user added or removed a point
                build.own(store.world.points);
                this.reset();
            } else if (keys.has("build") && store.build !== this.told) { // from an address
                build.take(store.build);
                this.reset(Math.max(0, Math.floor(Number(store.build.step) || 0)));
            }
        });
    }

    /** Shows the world that is chosen, if there is one; false, and why, where nothing can learn it. */
    showWorld() {
        const { choice, store } = this;
        const points = choice.isWorld ? choice.world : null;
        choice.link(points ?? []);
        try {
            choice.check();
            const samples = points && choice.samples;
            store.set({ world: samples && { points: samples.points, train: samples.n_train, takesPoints: choice.takesPoints } });
            return true;
        } catch ({ message }) { // there are too few, or none
            if (points) { // a network shows the picture in which they can be added
                store.given ??= store.network;
                this.adopt(newNetwork(choice.settings, hasOneInput(choice.data) ? [1, 1] : [2, 2], randomOf(choice.settings.seed)));
            }
            store.set({ world: points && { points, train: points.length, takesPoints: true } });
            this.abandon();
            this.verdict.textContent = `Nothing can learn yet: ${message}.`;
            return false;
        }
    }

    /** Trains on the samples of dropped files from now on. */
    takeFiles(samples) {
        this.server.hold(samples);
        this.choice.hasFiles = true;
        this.choice.take({ data: "mnist" });
        this.reset();
    }

    /** A field is another: what a new network would be like is shown at once, unless that would cost what was learned. */
    changed(name) {
        if (name === "data" || (this.run && !(this.frame?.step > 0)) || (!this.run && this.choice.isWorld && FRESH.includes(name))) {
            this.reset();
        }
    }

    /** Puts a new network there, which has learned nothing, or has taken so many steps. */
    reset(steps = 0) {
        this.abandon();
        this.verdict.textContent = "";
        if (this.showWorld()) {
            this.store.set({ waits: steps > 0 ? "The network of this link is learning again …" : "" });
            this.start(steps);
        }
    }

    /** Forgets the run that is under way. */
    abandon() {
        if (this.run) {
            Object.assign(this.run, { busy: true, tell: () => {} });
            this.run = null;
            this.show();
        }
    }

    start(steps = null) {
        if (this.showWorld()) {
            this.told = this.choice.texts;
            this.store.set({ build: this.told });
            super.start(steps);
        }
    }

    take(frame) {
        this.store.step = frame.step;
        this.store.set({ waits: frame.paused || frame.isOver ? "" : this.store.waits });
        super.take(frame);
    }

    /** The last run that has learned anything on the same data, and how its settings differed. */
    beforeThis() {
        const last = this.frame?.step > 0 ? this.frame : this.before?.frame;
        const now = this.choice.settings;
        if (last?.settings.data !== now.data) {
            return null;
        }
        const others = Object.keys(now).filter((name) => String(now[name]) !== String(last.settings[name]));
        const says = others.map((name) => `${name} ${last.settings[name] || "none"} instead of ${now[name] || "none"}`).join(", ");
        return { frame: last, says: says || "with the same settings" };
    }
}
