package report

// SummaryFormats are the words of the formats that a Summary can be written in:
// WriteText, WriteJSON, WriteCSV, WriteMarkdown, and html by package page.
func SummaryFormats() []string { return []string{"text", "json", "csv", "markdown", "html"} }
