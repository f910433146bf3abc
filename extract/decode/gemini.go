package decode

// beside adds what Gemini thought and what its tools put into the prompt to the
// counts beside which it tells them: output is candidates and thoughts, input
// prompt and tool use. Where the total is reached without one of them, the count
// beside it holds it already.
func (c *tokenCounts) beside(thoughts, toolUse int64) {
	over := c.total - c.input - c.output // what the total holds besides the two
	toolInside := c.total > 0 && toolUse <= c.input && (over == 0 || over == thoughts)
	thoughtsInside := c.total > 0 && thoughts <= c.output && (over == 0 || over == toolUse && !toolInside)
	if c.reasoning = thoughts; !thoughtsInside {
		c.output += thoughts
	}
	if !toolInside {
		c.input += toolUse
	}
	c.total = 0 // it has told what it can
}
