// the records of our lexicons.
// written by `python -m plyr.atproto.lexicon.generate`; change `lexicons/` instead.

export interface Blob {
	$type: 'blob';
	ref: { $link: string };
	mimeType: string;
	size: number;
}

/** a record in one version */
export interface StrongRef {
	/** at-uri */
	uri: string;
	/** cid */
	cid: string;
}

/** a part of fm.plyr.list */
export interface ListItem {
	subject: StrongRef;
}

/** one label */
export interface SelfLabel {
	/** at most 128 bytes */
	val: string;
}

/** labels an author puts on their own record */
export interface SelfLabels {
	/** at most 10 entries */
	values: SelfLabel[];
}

/** somebody who plays on a track; names are snapshots, the did is who they are */
export interface TrackFeaturedArtist {
	/** did */
	did: string;
	/** handle */
	handle?: string;
	/** at most 64 characters */
	displayName?: string;
}

/** what an artist says of themselves */
export interface ActorProfile {
	$type: string;
	/** when the author made it, by their clock; datetime */
	createdAt: string;
	/** at most 256 characters */
	bio?: string;
	/** uri */
	avatar?: string;
	/** datetime */
	updatedAt?: string;
}

/** a remark at one moment of a track */
export interface Comment {
	$type: string;
	subject: StrongRef;
	/** at most 1000 characters */
	text: string;
	/** the moment, in milliseconds from the start */
	timestampMs: number;
	/** when the author made it, by their clock; datetime */
	createdAt: string;
	/** datetime */
	updatedAt?: string;
}

/** the owner of the repo likes a track */
export interface Like {
	$type: string;
	subject: StrongRef;
	/** when the author made it, by their clock; datetime */
	createdAt: string;
}

/** tracks in an order: an album, a playlist, or what somebody liked */
export interface List {
	$type: string;
	/** at most 500 entries */
	items: ListItem[];
	/** when the author made it, by their clock; datetime */
	createdAt: string;
	/** at most 64 characters */
	name?: string;
	/** at most 64 bytes; known: album, playlist, liked */
	listType?: string;
	/** at most 5000 characters */
	description?: string;
	/** the cover; uri */
	imageUrl?: string;
	/** datetime */
	updatedAt?: string;
}

/** a piece of audio by the owner of the repo; it has `audioUrl`, `audioBlob`, or both */
export interface Track {
	$type: string;
	/** at most 256 characters */
	title: string;
	/** the artist's name when it was published; at most 256 characters */
	artist: string;
	/** the container as a file extension without the dot, e.g. flac; at most 16 bytes */
	fileType: string;
	/** when the author made it, by their clock; datetime */
	createdAt: string;
	/** where the audio can be played from; uri */
	audioUrl?: string;
	/** the audio itself, kept by the author's server; at most 104857600 bytes of audio/* */
	audioBlob?: Blob;
	/** at most 256 characters */
	album?: string;
	/** length in whole seconds */
	duration?: number;
	/** who else plays on it; at most 10 entries */
	features?: TrackFeaturedArtist[];
	/** the cover; uri */
	imageUrl?: string;
	/** at most 5000 characters */
	description?: string;
	/** at most 10 entries */
	tags?: string[];
	/** what the author says of the content, e.g. that it is explicit */
	labels?: SelfLabels;
}
