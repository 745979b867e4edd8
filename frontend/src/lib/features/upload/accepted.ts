/** what file choosers offer; what a file really is, the api finds out. some phones know flac and opus by extension only. */
export const AUDIO_FILES = 'audio/*,.mp3,.m4a,.aac,.wav,.flac,.ogg,.oga,.opus,.aif,.aiff';
export const IMAGE_FILES = 'image/png,image/jpeg,image/webp,image/avif,image/heic,.heic,image/gif';
