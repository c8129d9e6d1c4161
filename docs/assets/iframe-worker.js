// Search where pages are read as files: browsers start no workers there, so the worker's script runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise((resolve) => {
        const start = () => {
          document.body.append(frame);
          const inner = frame.contentWindow;
          inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          const load = (source) =>
            new Promise((done, failed) => {
              const script = inner.document.createElement("script");
              script.src = source;
              script.onload = done;
              script.onerror = failed;
              inner.document.body.append(script);
            });
          inner.importScripts = (...sources) =>
            sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve());
          load(url).then(() => resolve(inner));
        };
        if (document.body) start();
        else addEventListener("DOMContentLoaded", start);
      });
    }
    postMessage(data) {
      this.ready.then((inner) => inner.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
}
