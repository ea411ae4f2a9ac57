package emulator

// fileProfiles differ in what they do with files, and in their payload.
func fileProfiles() []Profile {
	return []Profile{
		{
			Name: "gives-files-up", Doc: "gives a file up that stopped half a second ago, and keeps what it had",
			Stands: "a board whose installer is called away",
			Specs:  specs("provisioning/aborted-transfer"),
			apply:  func(b *behaviour) { b.fileTimeout = ms(500) },
		},
		{
			Name: "echo-with-gaps", Doc: "loses every ninth byte of a file in its echo, and none of the file",
			Stands: "a console that drops what does not fit into its send buffer",
			Specs:  specs("provisioning/root provisioning/certificate provisioning/key provisioning/noise delivery/first-message"),
			Warns:  specs("provisioning/root provisioning/certificate provisioning/key"),
			apply:  func(b *behaviour) { b.echoGaps = 9 },
		},
		{
			Name: "speaks-unicode", Doc: "has a unit in UTF-8 in its payload, and one name in two of its objects",
			Stands: "a board with a display",
			Specs:  specs("delivery/payload delivery/no-loss"),
			apply: func(b *behaviour) {
				b.payload = withUnit(`°C","probe":{"temperature":21.5,"unit":"K"},"site":"Zürich 東京`)
			},
		},
	}
}
