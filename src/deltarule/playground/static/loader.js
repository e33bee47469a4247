try {
    const bytes = Uint8Array.from(atob(document.getElementById("program").textContent), (each) => each.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.type = "module";
    script.textContent = await new Response(plain).text();
    document.head.append(script);
} catch (error) {
    const place = document.getElementById("failure");
    place.hidden = false;
    place.textContent = `This page needs a browser of 2023 or later: ${error.message}`;
}
