package service

// smb looks for a message of SMB 1, 2 or 3 after its length (MS-SMB2 §2.1, §2.2.1;
// MS-CIFS §2.2.3.1): the header says whether it is a request or a response.
func smb(b []byte, e *Evidence) bool {
	const header = 4
	if len(b) < header+20 || b[0] != 0 || uint24At(b, 1) < 32 {
		return false
	}
	response := false
	switch message := b[header:]; {
	case hasPrefix(message, "\xfeSMB\x40\x00"): // the size of the header follows the mark
		response = message[16]&1 != 0
	case hasPrefix(message, "\xffSMB"):
		response = message[9]&0x80 != 0
	default:
		return false
	}
	if response {
		return e.prove("microsoft-ds", FromServer)
	}
	return e.prove("microsoft-ds", FromClient)
}
