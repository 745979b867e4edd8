/**
 * files of unfinished uploads, kept in this browser so that a reload goes on by itself.
 *
 * only up to a size: a larger file has to be chosen again. every call is allowed to fail (private windows, full disks);
 * then the same happens.
 */
const DATABASE = 'plyr';
const STORE = 'upload_files';
export const KEPT_FILE_MAX_BYTES = 400_000_000;

/** keep a file under a name; larger ones are quietly not kept. */
export async function keepFile(name: string, file: Blob): Promise<void> {
  if (file.size > KEPT_FILE_MAX_BYTES) return;
  await transact('readwrite', (store) => store.put(file, name)).catch(() => undefined);
}

/** the file kept under this name, null when there is none. */
export async function keptFile(name: string): Promise<File | null> {
  const file = await transact('readonly', (store) => store.get(name)).catch(() => null);
  return file instanceof File ? file : null;
}

/** forget the files under these names. */
export async function forgetFiles(...names: string[]): Promise<void> {
  await transact('readwrite', (store) => {
    let last = store.delete(names[0] ?? '');
    for (const name of names.slice(1)) last = store.delete(name);
    return last;
  }).catch(() => undefined);
}

/** forget every kept file, at sign-out. */
export async function forgetAllFiles(): Promise<void> {
  await transact('readwrite', (store) => store.clear()).catch(() => undefined);
}

function transact<Result>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => {
        database.close();
        resolve(request.result);
      };
      transaction.onabort = () => {
        database.close();
        reject(transaction.error);
      };
    };
  });
}
