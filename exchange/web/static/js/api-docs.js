// Draws the API's reference; the page without it links to openapi.json.
const place = document.getElementById("api-docs");
globalThis.SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
