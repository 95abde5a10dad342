"""The press: words, figures, pages and XML of the papers. The one place that knows Typst, Factur-X and Saxon."""
