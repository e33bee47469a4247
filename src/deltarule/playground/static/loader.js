try {
    const bytes = Uint8Array.from(atob(document.getElementById("program").textContent), (each) => each.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const program = { type: "module", textContent: await new Response(plain).text() };
    document.head.append(Object.assign(document.createElement("script"), program));
} catch (error) {
    const textContent = `This page needs a browser of 2023 or later: ${error.message}`;
    Object.assign(document.getElementById("failure"), { hidden: false, textContent });
}
