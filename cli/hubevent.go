package cli

import "hilrig/azure/hub"

func (p *hubPrinter) event(e hub.Event) { p.print(hub.LineOf(e)) }
